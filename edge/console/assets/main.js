// Asks every two seconds how things stand, and not while nobody looks.
import { time } from "./dom.js";
import { showCache } from "./cache.js";
import { showRequests } from "./requests.js";
import { showSystems } from "./systems.js";

const every = 2000;
const limit = 5000; // how long an answer is waited for
const sections = { systems: showSystems, cache: showCache, requests: showRequests };

const texts = {}; // what was last shown
let answered = 0;
let away = false;
let timer;

const by = (id) => document.getElementById(id);

function say(text) {
  if (by("state").textContent !== text) by("state").textContent = text; // a reader is told of changes only
}

async function ask(name) {
  const answer = await fetch(`/${name}`, { cache: "no-store", signal: AbortSignal.timeout(limit) });
  if (!answer.ok) throw new Error(`/${name}: ${answer.status}`);
  const text = await answer.text();
  if (text === texts[name]) return;
  texts[name] = text;
  const told = JSON.parse(text);
  if (told.channel) {
    by("channel").textContent = told.channel;
    document.title = `Portico ${told.channel} console`;
  }
  sections[name](by(`${name}-body`), told);
}

async function look() {
  clearTimeout(timer);
  try {
    await Promise.all(Object.keys(sections).map(ask));
    answered = Date.now();
    away = false;
    say("Live");
  } catch (problem) {
    away = true;
    say(answered ? "The process does not answer; what is shown is old." : "The process does not answer.");
  }
  document.body.classList.toggle("away", away);
  tell();
  if (!document.hidden) timer = setTimeout(look, every);
}

function tell() {
  by("age").textContent = answered ? `last answer ${time(1000 * Math.round((Date.now() - answered) / 1000))} ago` : "";
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
setInterval(tell, 1000);
look();
