import { badge, count, el, facts, percent, show, table, time } from "./dom.js";

const meanings = { closed: "good", "half-open": "warn", open: "bad" };

// breaker says how a breaker stands, and when it asks again.
function breaker(op) {
  return [badge(op.breaker, meanings[op.breaker] ?? "warn"), op.nextProbeMs && el("small", {}, `probe in ${time(op.nextProbeMs)}`)];
}

// standing is a system's state in a word.
function standing(system) {
  const open = system.operations.filter((op) => op.breaker !== "closed").length;
  if (open > 0) return badge(`${open} of ${system.operations.length} breakers not closed`, "bad");
  if (system.budgetTokens <= 10) return badge("retry budget spent", "warn");
  if (system.queued > 0) return badge(`${system.queued} waiting`, "warn");
  return badge(system.operations.length ? "well" : "not called yet", system.operations.length ? "good" : "calm");
}

function card(system) {
  const name = system.role ? `${system.system} (${system.role})` : system.system;
  return el("article", { class: "card", "data-system": system.system },
    el("h3", {}, name, " ", standing(system)),
    facts([
      ["in flight", `${system.inFlight} of ${system.limit}`], ["waiting", count(system.queued)],
      ["retry budget", `${system.budgetTokens} of 20`], ["hedges earned", system.hedgeTokens], ["calls per request", system.callsPerRequest],
    ]),
    system.operations.length > 0 && table(`system ${system.role} ${system.system}`, `Operations of ${name}`,
      [["operation"], ["breaker"], ["p50", true], ["p99", true], ["calls", true], ["failed", true]],
      system.operations.map((op) => [
        [op.operation, op.step && el("small", {}, op.step)], breaker(op), op.p50Ms ? time(op.p50Ms) : "–", op.p99Ms ? time(op.p99Ms) : "–",
        count(op.calls), op.failed ? `${count(op.failed)} (${percent(op.errorRate)})` : "0",
      ])));
}

export function showSystems(place, { systems }) {
  show(place, systems.length ? el("div", { class: "cards" }, systems.map(card)) : el("p", { class: "none" }, "No system is configured."));
}
