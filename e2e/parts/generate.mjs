// Random queries that fit a schema, each twice: with fragments that are deferred, and without.
import { getNamedType, isLeafType, isRequiredArgument } from "graphql";

// Nothing that is deprecated is asked for: it may be so for what caches of clients made of it.
// The roots that are the same for everyone, and what their arguments may be.
const roots = ["product", "products", "search", "categories", "category", "page", "pages"];
const skus = ["BK-R93R-62", "HL-U509-R", "BK-M82S-38", "NO-SUCH-SKU"];
const values = {
  sku: (die) => `"${die.pick(skus)}"`,
  skus: (die) => `["${die.pick(skus)}","${die.pick(skus)}"]`,
  first: (die) => String(1 + die.below(4)),
  width: () => "200",
  quantity: (die) => String(1 + die.below(9)),
  text: () => '"bike"',
  sort: (die) => die.pick(["NAME", "PRICE_ASC"]),
};
const most = { depth: 4, fields: 40, deferred: 6, times: 4 }; // below what a query may have

// dice answers the same numbers for the same seed (mulberry32).
export function dice(seed) {
  let state = seed | 0;
  const below = (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
  return { below, pick: (list) => list[below(list.length)] };
}

// value is one for an argument of a field, or undefined. Ids are those that there are, by field.
function value(arg, field, die, ids) {
  if (arg.name === "id") return ids[field] && `"${die.pick(ids[field])}"`;
  if (arg.name === "ids") return ids[field] && `["${die.pick(ids[field])}"]`;
  return values[arg.name]?.(die);
}

// written is a field's arguments, or null where a required one has no value.
function written(field, die, ids) {
  const own = [];
  for (const arg of field.args) {
    const v = value(arg, field.name, die, ids);
    if (v === undefined && isRequiredArgument(arg)) return null;
    if (v !== undefined && (isRequiredArgument(arg) || die.below(2) === 0)) own.push(`${arg.name}:${v}`);
  }
  return own.length > 0 ? `(${own.join(" ")})` : "";
}

export function generate(schema, die, ids) {
  const left = { fields: most.fields, deferred: most.deferred };
  const place = () => ({ fields: {}, sets: 0 });
  // known is what there is of this place so far: fields of one key are one field. Apollo asks for the type in each set.
  const set = (type, depth, known) => {
    known.sets++;
    const all = Object.values(type.getFields()).filter((f) => (depth > 0 || roots.includes(f.name)) && !f.deprecationReason);
    let text = "";
    for (let wanted = 1 + die.below(depth === 0 ? 3 : 5); wanted > 0; wanted--) {
      if (left.deferred > 0 && known.sets < most.times && die.below(3) === 0) {
        left.deferred--;
        const label = die.below(2) === 0 ? `(label:"L${left.deferred}")` : "";
        text += `... @defer${label}{${set(type, depth, known)}} `;
        continue;
      }
      const field = die.pick(all);
      const below = getNamedType(field.type);
      if (!isLeafType(below) && (depth >= most.depth || left.fields <= 0)) continue;
      const own = (known.fields[field.name] ??= { args: written(field, die, ids), below: place(), times: 0 });
      if (own.args === null || own.times === most.times || own.below.sets === most.times) continue;
      own.times++;
      left.fields--;
      text += field.name + own.args + (isLeafType(below) ? " " : `{${set(below, depth + 1, own.below)}} `);
    }
    return text || "__typename ";
  };
  const deferred = `{${set(schema.getQueryType(), 0, place())}}`;
  return { deferred, whole: deferred.replace(/ @defer(\(label:"L\d+"\))?/g, ""), fragments: most.deferred - left.deferred };
}
