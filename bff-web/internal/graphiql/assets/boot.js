// Starts GraphiQL on this page's own API. Nothing is loaded from elsewhere.
"use strict";

// What the last answers said, for the variables that stand for it.
const seen = {};

function remember(data) {
  const cart = data?.cartCreate?.cart?.id;
  if (cart) {
    seen["<cart>"] = cart;
    seen["<key>"] = `graphiql-${crypto.randomUUID()}`;
  }
  seen["<method>"] = data?.shippingOptions?.[0]?.code ?? seen["<method>"];
  seen["<payment>"] = data?.cartShippingSet?.cart?.payments?.[0]?.code ?? seen["<payment>"];
}

function filledIn(variables) {
  return Object.fromEntries(Object.entries(variables ?? {}).map(([name, value]) => [name, seen[value] ?? value]));
}

// named tells whether a document has an operation. Right after a change of tabs GraphiQL still names the one before.
function named(query, operation) {
  return operation && new RegExp(`\\b(query|mutation)\\s+${operation}\\b`).test(query);
}

// asked is the body of a request: a document, or the id that a tab names in its place.
function asked({ query, variables, operationName }) {
  const id = /^# documentId:[ \t]*(\S+)/m.exec(query)?.[1];
  return JSON.stringify({
    ...(id ? { documentId: id } : { query }),
    variables: filledIn(variables),
    operationName: named(query, operationName) ? operationName : undefined,
  });
}

async function fetcher(params, options) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      ...(await currentHeaders()),
      ...options?.headers,
      "Accept": "application/graphql-response+json, application/json",
      "Content-Type": "application/json",
    },
    body: asked(params),
  });
  const answer = await response.json();
  remember(answer.data);
  return answer;
}

async function start() {
  const response = await fetch("/graphiql/presets", { headers: { "X-CSRF": "1" } });
  const presets = await response.json();
  offer(presets);
  // GraphiQL takes over all of its default tabs but the variables of the one it shows first.
  const known = localStorage.getItem("graphiql:tabState");
  const variables = known ? undefined : presets.examples[0].variables;
  ReactDOM.createRoot(control("graphiql")).render(React.createElement(GraphiQL, {
    fetcher, variables, defaultTabs: presets.examples, defaultEditorToolsVisibility: "variables", shouldPersistHeaders: false,
  }));
}

start().catch((error) => {
  control("graphiql").textContent = `The page could not start: ${error}`;
});
