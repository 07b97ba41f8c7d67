// Starts GraphiQL on this page's own API. Nothing is loaded from elsewhere.
"use strict";

const examples = `# Portico's web API. Press Ctrl-Enter to run, Ctrl-Space to complete.
# Below, in the headers' tab, try {"X-Channel": "eu"}, {"X-Currency": "GBP"} or
# {"Authorization": "Bearer …"} with a token of the sandbox.

query Search {
  search(text: "bike", first: 3) {
    totalCount
    facets { code values { value count } }
    nodes {
      sku
      name
      images(width: 200) { url alt }
      price { unit { formatted } }
      availability { inStock quantity }
    }
    pageInfo { hasNextPage endCursor }
  }
}

query Categories {
  categories { id name children { id name } }
}

query Me {
  me {
    profile { firstName lastName }
    loyalty { points level }
    orders(first: 3) { nodes { number status totals { total { formatted } } } }
  }
}

mutation OpenCart {
  cartCreate { cart { id } userErrors { code message } }
}
`;

// The API refuses what a browser sends without X-CSRF.
async function fetcher(params, options) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      ...(options && options.headers),
      "Accept": "application/graphql-response+json, application/json",
      "Content-Type": "application/json",
      "X-CSRF": "1",
    },
    body: JSON.stringify({
      query: params.query,
      variables: params.variables || undefined,
      operationName: params.operationName || undefined,
    }),
  });
  return response.json();
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: examples, shouldPersistHeaders: false }),
);
