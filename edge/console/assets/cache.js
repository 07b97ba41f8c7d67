import { badge, bytes, count, el, facts, percent, show, table, time } from "./dom.js";

// ages says how old what was given was, as shares of all.
function ages(of) {
  const all = Object.values(of).reduce((sum, n) => sum + n, 0);
  if (!all) return "–";
  return Object.entries(of).map(([upTo, n]) => `${upTo === "more" ? "older" : `≤ ${upTo}`} ${percent(n / all)}`).join(", ");
}

const ratio = (hits, all) => (all ? percent(hits / all) : "–");
const ring = (state) => badge(state, state === "closed" ? "good" : "bad");

function filled(name, used, budget) {
  return [name, [el("meter", { min: 0, max: budget || 1, value: used, "aria-label": name }), ` ${bytes(used)} of ${bytes(budget)}`]];
}

function redis(state, follower) {
  if (!state) return facts([["Redis", badge("not configured", "calm")]]);
  return facts([
    ["Redis reads", ring(state.reads)], ["writes", ring(state.writes)], ["leases", ring(state.leasing)],
    follower && ["hears invalidations", follower.hearing ? badge("yes", "good") : badge("no", "bad")],
    follower && ["behind by", time(follower.lagMs)], follower && ["waiting to be told", count(follower.untold)],
  ]);
}

export function showCache(place, { memory, redis: remote, invalidations, answers, operations }) {
  const asked = operations.filter((op) => op.asked > 0);
  const served = answers.hit + answers.proven;
  const all = served + answers.miss + answers.shared + answers.bypass;
  show(place, el("div", { class: "cards" },
    el("article", { class: "card" }, el("h3", {}, "Memory"), facts([
      filled("of systems' answers", memory.bytes, memory.budgetBytes), ["entries", count(memory.entries)], ["evicted", count(memory.evictions)],
    ])),
    el("article", { class: "card" }, el("h3", {}, "Whole answers"), facts([
      ["given from memory", ratio(served, all)], filled("of whole answers", answers.bytes, answers.budgetBytes), ["kept", count(answers.entries)], ["under way", count(answers.underWay)],
    ])),
    el("article", { class: "card" }, el("h3", {}, "Redis and invalidations"), redis(remote, invalidations.follower),
      facts([["invalidated here", count(invalidations.own)], ["by others", count(invalidations.others)]]))),
  asked.length === 0 ? el("p", { class: "none" }, "Nothing was asked of the cache yet.")
    : table("cache", "Hit ratios by operation",
      [["operation"], ["keys", true], ["memory", true], ["Redis", true], ["system", true], ["stale", true], ["failed", true], ["kept", true], ["age of what was given"]],
      asked.map((op) => [
        [op.operation, el("small", {}, `${op.system}, ${op.scope}`)], count(op.asked), percent(op.memory), percent(op.redis), percent(op.upstream),
        count(op.stale), count(op.failed), `${count(op.entries)}, ${bytes(op.bytes)}`, ages(op.ages),
      ])));
}
