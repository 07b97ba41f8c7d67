import { badge, count, el, show, table, time } from "./dom.js";
import { drawn } from "./waterfall.js";

const meanings = { failed: "bad", degraded: "warn", slow: "warn", slowest: "calm" };
const filters = {
  all: () => true,
  failed: (r) => r.why.includes("failed") || r.why.includes("degraded"),
  slow: (r) => r.why.includes("slow") || r.why.includes("slowest"),
};

let opened = 0; // the number of the request that is looked at
let last;

const filter = () => document.querySelector("input[name=filter]:checked").value;
const nameOf = (r) => r.operation || `${r.method} ${r.route}`;

function more(r) {
  const market = r.market ? `${r.market.channel}, ${r.market.locale}, ${r.market.currency}, ${r.market.country}` : undefined;
  return el("div", { class: "more", id: `request-${r.number}` },
    el("p", {}, `${r.method} ${r.route}, status ${r.status}, ${new Date(r.at).toLocaleString()}`, market && `, market ${market}`, r.answer && `, answer ${r.answer}`),
    el("p", {}, "request ", el("code", {}, r.requestId), r.traceId && [", trace ", el("code", {}, r.traceId)], r.document && [", document ", el("code", {}, r.document)]),
    r.errors && el("p", {}, "errors: ", r.errors.join(", ")),
    r.parts && table(`parts ${r.number}`, "What is not fresh", [["part"], ["state"], ["system"], ["why"], ["age", true], ["places", true]],
      r.parts.map((p) => [p.part, badge(p.state, p.state === "stale" ? "warn" : "bad"), p.system, p.reason, p.ageMs ? time(p.ageMs) : "–", p.count])),
    r.moreParts && el("p", {}, `${r.moreParts} more parts were not kept.`),
    r.waterfall ? drawn(r.number, r.waterfall) : el("p", { class: "none" }, "Nothing was executed for it."));
}

function item(place, r) {
  const open = r.number === opened;
  const toggle = () => {
    opened = open ? 0 : r.number;
    draw(place);
  };
  return el("li", {},
    el("button", { type: "button", class: "request", "data-key": `request ${r.number}`, "aria-expanded": String(open), "aria-controls": open && `request-${r.number}`, onclick: toggle },
      el("span", { class: "name" }, nameOf(r)), el("span", {}, r.why.map((word) => [badge(word, meanings[word]), " "])),
      el("span", { class: "number" }, time(r.ms)), el("span", { class: "number" }, String(r.status)), el("time", { datetime: r.at }, new Date(r.at).toLocaleTimeString())),
    open && more(r));
}

function draw(place) {
  const list = last.requests.filter(filters[filter()]);
  const { failed, degraded, slow } = last.seen;
  const seen = el("p", {}, `Since the process began: ${count(failed)} failed, ${count(degraded)} degraded, ${count(slow)} slow (${time(last.slowMs)} or longer).`);
  if (list.length > 0) return show(place, seen, el("ul", { class: "requests" }, list.map((r) => item(place, r))));
  const none = last.slowMs === 0 ? "No requests are kept (REQUESTS_BYTES is 0)." : last.requests.length ? "None of these." : "Nothing was recorded yet.";
  return show(place, seen, el("p", { class: "none" }, none));
}

export function showRequests(place, answer) {
  const first = !last;
  last = answer;
  if (first) document.getElementById("filter").addEventListener("change", () => draw(place));
  draw(place);
}
