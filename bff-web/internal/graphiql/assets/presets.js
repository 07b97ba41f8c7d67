// The bar above the editor: who asks, and in which market. What is chosen there goes into the headers of every
// request; what a tab's own headers say wins.
"use strict";

const control = (id) => document.getElementById(id);
const chosen = { token: "", signedAt: 0 };
const tokenMinutes = 50; // the sandbox signs for an hour

function fill(select, entries, standing) {
  select.replaceChildren(...[["", standing], ...entries].map(([value, text]) => new Option(text, value)));
}

// offer fills the bar.
function offer(presets) {
  const { channels, locales, currencies, countries } = presets.markets;
  const named = channels.map((text) => text.trim().split("="));
  fill(control("channel"), named.map(([name, rest]) => [name, `${name} (${rest})`]), `default (${named[0][0]})`);
  for (const [id, list] of [["locale", locales], ["currency", currencies], ["country", countries]]) {
    fill(control(id), list.map((value) => [value.trim(), value.trim()]), id === "locale" ? "the browser's" : "the market's");
  }
  fill(control("customer"), presets.customers.map((c) => [c.customer, `${c.name} (${c.priceGroup}, ${c.orders} orders)`]), "nobody");
  control("presets").addEventListener("change", changed);
  show();
}

async function changed(event) {
  if (event.target.id === "customer") {
    await signIn(event.target.value);
  }
  show();
}

// signIn has the sandbox sign a token for a customer; nobody has none.
async function signIn(customer) {
  chosen.token = "";
  if (!customer) {
    return;
  }
  const response = await fetch("/graphiql/presets", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF": "1" },
    body: JSON.stringify({ customer }),
  });
  if (response.ok) {
    chosen.token = (await response.json()).token;
    chosen.signedAt = Date.now();
  }
}

// presetHeaders are the headers that the bar stands for.
function presetHeaders() {
  const headers = { "X-CSRF": "1" }; // the API refuses what a browser sends without
  const values = {
    "X-Channel": control("channel").value, "Accept-Language": control("locale").value, "X-Currency": control("currency").value,
    "X-Country": control("country").value, "X-Trace": control("trace").checked ? "1" : "", "Authorization": chosen.token && `Bearer ${chosen.token}`,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value) {
      headers[name] = value;
    }
  }
  return headers;
}

// currentHeaders are the same, with a token that lasts.
async function currentHeaders() {
  if (chosen.token && Date.now() - chosen.signedAt > tokenMinutes * 60_000) {
    await signIn(control("customer").value);
  }
  return presetHeaders();
}

function show() {
  const texts = Object.entries(presetHeaders()).map(([name, value]) => `${name}: ${value}`);
  control("headers").textContent = texts.join("   ");
  control("headers").title = texts.join("\n");
}
