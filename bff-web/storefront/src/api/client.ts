import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, type FieldMergeFunction, type Reference } from '@apollo/client'
import { SetContextLink } from '@apollo/client/link/context'
import { Defer20220824Handler } from '@apollo/client/incremental'
import { OperationTypeNode } from 'graphql'
import { ask, client, marked } from '../early'
import { freshnessLink, type Marks } from './freshness'
import { liveLink } from './live'
import { takeTurns } from './turns'

// The shop asks by the ids of documents that its build has published, and sends no text.
const trusted = new ApolloLink((operation, forward) => {
  const { hash } = (operation.query as unknown as { __meta__: { hash: string } }).__meta__
  operation.extensions.persistedQuery = { version: 1, sha256Hash: hash.replace('sha256:', '') }
  operation.setContext(({ http }) => ({ http: { ...http, includeQuery: false, includeExtensions: true } }))
  return forward(operation)
})

type Page = { nodes: readonly (Reference | null)[] }

// A page that is asked for with `after` goes on from those before it. It is written once for each of its deferred parts.
const pages: FieldMergeFunction<Page, Page> = (existing, incoming, { args }) => {
  if (!args?.after || !existing) return incoming
  const now = new Set(incoming.nodes.map((node) => node?.__ref))
  return { ...incoming, nodes: [...existing.nodes.filter((node) => node && !now.has(node.__ref)), ...incoming.nodes] }
}

const paged = { keyArgs: ['text', 'filter', 'sort', 'first'], merge: pages }

function newCache() {
  return new InMemoryCache({
    typePolicies: {
      Query: {
        fields: {
          search: paged,
          me: { merge: true },
          // A product that a list has shown has a name and a picture before its page has an answer.
          product: {
            read: (existing, { args, toReference }) => (existing === undefined ? toReference({ __typename: 'Product', sku: args?.sku }) : existing),
          },
          // A cart that a change has answered is there already.
          cart: {
            read: (existing, { args, toReference }) => (existing === undefined ? toReference({ __typename: 'Cart', id: args?.id }) : existing),
          },
        },
      },
      Product: { keyFields: ['sku'], fields: { price: { merge: true }, availability: { merge: true }, reviews: { merge: true } } },
      Category: { fields: { products: paged } },
      Order: { keyFields: ['number'] },
      Cart: { fields: { lines: { merge: false }, totals: { merge: false } } },
    },
  })
}

declare module '@apollo/client' {
  namespace ApolloClient {
    namespace DeclareDefaultOptions {
      interface WatchQuery { errorPolicy: 'all' }
      interface Query { errorPolicy: 'all' }
      interface Mutate { errorPolicy: 'all' }
    }
  }
}

// connect opens a client for one market and one caller: what is kept for another is never shown.
export function connect(headers: () => Promise<Record<string, string>>, marks: Marks) {
  return new ApolloClient({
    cache: newCache(),
    link: ApolloLink.from([
      takeTurns(),
      freshnessLink(marks),
      trusted,
      new SetContextLink(async (before) => ({ headers: { ...before.headers, ...(await headers()) } })),
      ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, liveLink, new HttpLink({ uri: '/graphql', headers: marked, fetch: ask })),
    ]),
    incrementalHandler: new Defer20220824Handler(),
    clientAwareness: client,
    enhancedClientAwareness: { transport: false },
    defaultOptions: {
      watchQuery: { errorPolicy: 'all', fetchPolicy: 'cache-and-network', nextFetchPolicy: 'cache-first' },
      query: { errorPolicy: 'all' },
      mutate: { errorPolicy: 'all' },
    },
  })
}
