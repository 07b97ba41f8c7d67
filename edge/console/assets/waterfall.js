import { bytes, el, table, time } from "./dom.js";

const row = 22;
const labels = 250; // room for names, of 1000

// shareOf maps a time of a request to a place in the drawing.
function scale(waterfall) {
  const from = Math.min(0, ...waterfall.calls.map((c) => c.startMs));
  const to = Math.max(waterfall.totalMs, 0.01);
  return (ms) => labels + (1000 - labels) * ((Math.min(ms, to) - from) / (to - from));
}

const good = (outcome) => outcome === "ok" || outcome === "canceled" || !outcome;
const nameOf = (call) => `${call.system} ${call.operation}`;

function bar(x, startMs, ms, y, height, kind) {
  return el("rect", { x: x(startMs), y, width: Math.max(2, x(startMs + ms) - x(startMs)), height, rx: 2, class: kind });
}

// line draws a call: all of it, waits included, and each attempt within.
function line(x, call, i) {
  const y = row * (i + 1);
  const name = nameOf(call);
  return el("g", {},
    el("text", { x: 0, y: y + 14 }, name.length > 36 ? `${name.slice(0, 35)}…` : name),
    bar(x, call.startMs, call.ms, y + 4, 13, good(call.outcome) ? "call" : "call bad"),
    (call.attempts ?? []).map((a) => bar(x, a.startMs, a.ms, y + 7, 7, good(a.outcome) ? (a.hedge ? "attempt hedge" : "attempt") : "attempt bad")));
}

function drawing(waterfall) {
  const x = scale(waterfall);
  const height = row * (waterfall.calls.length + 1) + 6;
  return el("div", { class: "drawing", "aria-hidden": "true" }, el("svg", { viewBox: `0 0 1000 ${height}` },
    [0, 0.25, 0.5, 0.75, 1].map((part) => {
      const at = part * waterfall.totalMs;
      return el("g", { class: "grid" }, el("line", { x1: x(at), x2: x(at), y1: 16, y2: height }),
        el("text", { x: x(at), y: 11, "text-anchor": part === 1 ? "end" : "middle" }, time(at)));
    }),
    waterfall.calls.map((call, i) => line(x, call, i))));
}

const attempts = (call) => (call.attempts ?? []).map((a) => `${a.hedge ? "hedge " : ""}${a.status || ""} ${a.outcome || "open"} ${time(a.ms)}`.trim()).join("; ");

// drawn is a waterfall as a picture, and the same as tables for who cannot see it.
export function drawn(number, waterfall) {
  const calls = waterfall.calls.length === 0 ? [el("p", { class: "none" }, "No system was called.")] : [drawing(waterfall), table(`calls ${number}`, "Calls of systems",
    [["call"], ["start", true], ["took", true], ["outcome"], ["tries", true], ["waited"], ["bytes", true], ["attempts"]],
    waterfall.calls.map((c) => [
      [nameOf(c), c.step && el("small", {}, c.step)], time(c.startMs), time(c.ms), (c.outcome || "still open") + (c.joined ? ", begun by another request" : ""), c.tries,
      [c.wait?.queueMs && `queue ${time(c.wait.queueMs)} `, c.wait?.backoffMs && `backoff ${time(c.wait.backoffMs)}`].filter(Boolean).join("") || "–", bytes(c.bytes), attempts(c),
    ]))];
  const reads = waterfall.reads.length > 0 && el("details", { "data-key": `reads ${number}` }, el("summary", { "data-key": `summary ${number}` }, `What the cache did (${waterfall.reads.length})`),
    table(`reads of ${number}`, "What the cache did", [["operation"], ["keys", true], ["from"], ["state"], ["age", true], ["waited", true], ["why"]],
      waterfall.reads.map((r) => [[r.operation, el("small", {}, r.system)], r.keys, r.cache, r.state, time(r.ageMs), time(r.ms), r.reason])));
  return [...calls, waterfall.omittedCalls && el("p", {}, `${waterfall.omittedCalls} more calls were not kept.`), reads];
}
