// Asks random queries by Apollo Client, with fragments that are deferred and without, and compares:
//
//   node check.mjs http://127.0.0.1:8080/graphql 40 7
//
// asks 40 queries of seed 7. Prints what differs, and how many parts there were.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler } from "@apollo/client/incremental";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import assert from "node:assert/strict";
import { map } from "rxjs";
import { dice, generate } from "./generate.mjs";

const [uri, count, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
let parts = 0;

// plainly asks without a client library.
async function plainly(query) {
  const answer = await fetch(uri, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF": "1" },
    body: JSON.stringify({ query }),
  });
  return answer.json();
}

// apollo is a client with a cache of its own.
function apollo() {
  const counting = new ApolloLink((operation, forward) => forward(operation).pipe(map((result) => (parts++, result))));
  return new ApolloClient({
    cache: new InMemoryCache(), // it keeps what has an id once for all places
    link: counting.concat(new HttpLink({ uri, headers: { "X-CSRF": "1" } })),
    incrementalHandler: new Defer20220824Handler(),
  });
}

// final is what a page has when all parts are there.
function final(query, fetchPolicy) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the last part did not come")), 60_000);
    const observed = apollo()
      .watchQuery({ query: gql(query), fetchPolicy, errorPolicy: "all", notifyOnNetworkStatusChange: true })
      .subscribe((result) => {
        if (result.loading || result.networkStatus !== 7 && result.networkStatus !== 8) return;
        clearTimeout(late);
        setTimeout(() => observed.unsubscribe());
        resolve(result);
      });
  });
}

// bare is data without what Apollo adds to queries.
function bare(value) {
  if (Array.isArray(value)) return value.map(bare);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== "__typename").map(([key, v]) => [key, bare(v)]));
}

const schema = buildClientSchema((await plainly(getIntrospectionQuery())).data);
const known = await plainly(`{categories{id}}`);
const ids = { category: known.data.categories.map((c) => c.id), page: ["home"], pages: ["home", "none"] };
let [divided, fragments] = [0, 0];
for (let i = 0; i < count; i++) {
  const query = generate(schema, dice(seed + i), ids);
  const whole = await plainly(query.whole);
  assert.equal(whole.errors, undefined, `${JSON.stringify(whole.errors)}\n${query.whole}`);
  for (const fetchPolicy of ["network-only", "no-cache"]) {
    const before = parts;
    const got = await final(query.deferred, fetchPolicy);
    assert.equal(got.error, undefined, `${got.error}\n${query.deferred}`);
    assert.deepEqual(bare(got.data), bare(whole.data), `seed ${seed + i} ${fetchPolicy}\n${query.deferred}`);
    if (parts - before > 1) divided++;
  }
  fragments += query.fragments;
}
console.log(`${count} queries with ${fragments} deferred fragments, each asked twice: ${divided} answers came in parts, ${parts} in all; each was the undivided answer`);
assert.ok(divided > count / 4, "too few came in parts");
