// What the sections share: making elements, and figures as people read them.

const svgNames = new Set(["svg", "rect", "line", "text", "g"]);

// el makes an element. Text is only ever text: nothing that was answered becomes markup.
export function el(name, attributes = {}, ...children) {
  const node = svgNames.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue;
    if (key === "onclick") node.addEventListener("click", value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

// show replaces what is in a place, and keeps the focus and the scrolled tables where they are.
export function show(place, ...children) {
  const focused = document.activeElement?.dataset?.key;
  const scrolled = new Map([...place.querySelectorAll("[data-key]")].map((node) => [node.dataset.key, node.scrollLeft]));
  const open = new Set([...place.querySelectorAll("details[open]")].map((node) => node.dataset.key));
  place.replaceChildren(...children.flat(Infinity));
  for (const node of place.querySelectorAll("[data-key]")) {
    if (scrolled.get(node.dataset.key)) node.scrollLeft = scrolled.get(node.dataset.key);
    if (node.tagName === "DETAILS" && open.has(node.dataset.key)) node.open = true;
    if (focused && node.dataset.key === focused) node.focus({ preventScroll: true });
  }
}

// table makes a table that scrolls by itself where it is too wide. Columns are [title, isNumber].
export function table(key, caption, columns, rows) {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption, "data-key": key },
    el("table", {}, el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, columns.map(([title, number]) => el("th", { scope: "col", class: number && "number" }, title)))),
      el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, i) =>
        el(i === 0 ? "th" : "td", { scope: i === 0 && "row", class: columns[i][1] && "number" }, cell ?? "–")))))));
}

// facts is a list of names with values.
export const facts = (pairs) => el("dl", {}, pairs.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));

// badge is a word in the colour of what it means: good, warn or bad.
export const badge = (word, meaning) => el("span", { class: `badge ${meaning}` }, word);

export const count = (n) => Number(n ?? 0).toLocaleString("en");
export const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

export function bytes(n) {
  if (n >= 1 << 20) return `${(n / (1 << 20)).toFixed(1)} MiB`;
  return n >= 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${n ?? 0} B`;
}

export function time(ms) {
  if (ms === undefined || ms === null) return "–";
  if (ms >= 60000) return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms >= 10000 ? 0 : 1)} s`;
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toFixed(2))} ms`;
}
