// node watch.mjs sse|ws url sku: prints each answer on a line, until it is told to stop.
import { createClient as sse } from 'graphql-sse'
import { createClient as ws } from 'graphql-ws'
import WebSocket from 'ws'

const [kind, url, sku] = process.argv.slice(2)
const client = kind === 'ws' ? ws({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, lazy: true }) : sse({ url })
const query = 'subscription Stock($skus: [String!]!) { availability(skus: $skus) { sku availability { quantity } } }'
for await (const answer of client.iterate({ query, variables: { skus: [sku] } })) console.log(JSON.stringify(answer))
