// The parts of a product's page that come from other systems, each by itself: none waits for another.
import { useEffect, useRef } from 'react'
import { useApolloClient, useSubscription } from '@apollo/client/react'
import type { TypedDocumentNode } from '@apollo/client'
import { LiveStockDocument, ProductGoesWithDocument, ProductOfferDocument, ProductOpinionsDocument, ProductStockDocument } from '../gql/graphql'
import type { Parts } from './product'
import { useFreshness } from '../session'
import { useVisible } from '../visible'
import { useAnnounce } from '../ui/announce'
import { Placeholders, Products } from '../ui/card'
import { Part, Skeleton } from '../ui/part'

// usePart is what stands on a field, and how to ask for it alone once more.
function usePart(sku: string, field: string, document: TypedDocumentNode<unknown, { sku: string }>) {
  const client = useApolloClient()
  const mark = useFreshness({ __typename: 'Product', sku }, field)
  return { mark, retry: () => client.query({ query: document, variables: { sku }, fetchPolicy: 'network-only' }) }
}

// useArrival announces what comes after the page was read.
function useArrival(text: string | undefined) {
  const say = useAnnounce()
  const waited = useRef(text === undefined)
  useEffect(() => {
    if (text && waited.current) say(text)
    waited.current = text === undefined
  }, [say, text])
}

export function Price({ sku, product, pending }: Parts) {
  const { mark, retry } = usePart(sku, 'price', ProductOfferDocument)
  const price = product?.price
  useArrival(price ? `Price: ${price.unit.formatted}` : undefined)
  return (
    <div className="price">
      <Part mark={mark} missing={!price} pending={pending} what="The price" retry={retry} skeleton={<Skeleton className="line price" />}>
        {price ? (
          <>
            <span className="unit">{price.unit.formatted}</span>
            {price.unit.amount !== price.list.amount && <s><span className="visually-hidden">Recommended price </span>{price.list.formatted}</s>}
            {price.tiers?.length > 0 && ( // a list has shown the price without them
              <ul className="tiers">
                {price.tiers.map(({ minQuantity, unit }) => <li key={minQuantity}>from {minQuantity}: <bdi>{unit.formatted}</bdi> each</li>)}
              </ul>
            )}
          </>
        ) : <span>No price yet</span>}
      </Part>
    </div>
  )
}

// useLiveStock keeps the stock of a product as it is, from when it has been shown.
function useLiveStock(sku: string, skip: boolean) {
  const visible = useVisible()
  useSubscription(LiveStockDocument, {
    variables: { skus: [sku] },
    skip: skip || !visible,
    fetchPolicy: 'no-cache',
    onData: ({ client, data }) => {
      for (const { sku, availability } of data.data?.availability ?? []) {
        client.writeQuery({ query: ProductStockDocument, variables: { sku }, data: { __typename: 'Query', product: { __typename: 'Product', sku, availability } } })
      }
    },
  })
}

export function Availability({ sku, product, pending }: Parts) {
  const { mark, retry } = usePart(sku, 'availability', ProductStockDocument)
  useLiveStock(sku, pending || !product)
  const stock = product?.availability
  return (
    <div className="stock">
      <Part mark={mark} missing={!stock} pending={pending} what="Stock" retry={retry} skeleton={<Skeleton className="line short" />}>
        {stock ? (
          <details>
            <summary className={stock.inStock ? 'good' : 'bad'}>{stock.inStock ? `In stock: ${stock.quantity}` : 'Sold out'}</summary>
            <ul>{stock.locations?.map(({ locationId, name, quantity }) => <li key={locationId}>{name}: {quantity}</li>)}</ul>
          </details>
        ) : <span>Stock is not known</span>}
      </Part>
    </div>
  )
}

export function GoesWith({ sku, product, pending }: Parts) {
  const { mark, retry } = usePart(sku, 'related', ProductGoesWithDocument)
  const related = product?.related
  if (!pending && !mark && related?.length === 0) return null
  return (
    <section aria-labelledby="with">
      <h2 id="with">Goes well with</h2>
      <Part mark={mark} missing={!related?.length} pending={pending} what="What goes with it" retry={retry} skeleton={<Placeholders count={4} />}>
        <Products products={related ?? []} />
      </Part>
    </section>
  )
}

export function Opinions({ sku, product, pending }: Parts) {
  const { mark, retry } = usePart(sku, 'reviews', ProductOpinionsDocument)
  const reviews = product?.reviews
  return (
    <section aria-labelledby="reviews" className="reviews">
      <h2 id="reviews">Reviews</h2>
      <Part mark={mark} missing={!reviews || (mark?.state === 'filler' && reviews.count === 0)} pending={pending} what="Reviews" retry={retry} skeleton={<Skeleton className="text" />}>
        {reviews && reviews.count > 0 ? (
          <>
            <p><Stars rating={reviews.average} /> {reviews.average} of 5, {reviews.count} {reviews.count === 1 ? 'review' : 'reviews'}</p>
            <ul>
              {reviews.items.map(({ id, author, rating, body, createdAt }) => (
                <li key={id}>
                  <p><Stars rating={rating} /> <strong>{author}</strong> <time dateTime={createdAt} className="faint">{new Date(createdAt).toLocaleDateString('en')}</time></p>
                  <p>{body}</p>
                </li>
              ))}
            </ul>
          </>
        ) : <p className="faint">No reviews yet.</p>}
      </Part>
    </section>
  )
}

function Stars({ rating }: { rating: number }) {
  const full = Math.round(rating)
  return <span className="stars" role="img" aria-label={`${rating} of 5 stars`}>{'★'.repeat(full)}{'☆'.repeat(5 - full)}</span>
}
