// Runs the GraphQL-over-HTTP audits of npm graphql-http against a running web channel:
//
//   node audit.mjs http://127.0.0.1:8080/graphql
//
// Prints one JSON object a line: {"id", "name", "status": "ok"|"notice"|"warn"|"error", "reason"}.
import { serverAudits } from "graphql-http";

const [url] = process.argv.slice(2);

// Node's fetch says Sec-Fetch-Mode, as browsers do; who is like a browser says X-CSRF, too.
const fetchFn = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set("X-CSRF", "1");
  return fetch(input, { ...init, headers });
};

for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  if (result.response && !result.response.bodyUsed) {
    await result.response.body?.cancel();
  }
  console.log(JSON.stringify({ id: result.id, name: result.name, status: result.status, reason: result.reason }));
}
