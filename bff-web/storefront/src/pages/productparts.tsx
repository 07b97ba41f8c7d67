// The parts of a product's page that come from other systems, each by itself: none waits for another.
import { useEffect, useRef } from 'react'
import { useQuery } from '@apollo/client/react'
import { ProductGoesWithDocument, ProductOfferDocument, ProductOpinionsDocument, ProductStockDocument } from '../gql/graphql'
import { useFreshness } from '../session'
import { useAnnounce } from '../ui/announce'
import { Placeholders, Products } from '../ui/card'
import { Part, Skeleton } from '../ui/part'

// useArrival announces what comes after the page was read.
function useArrival(text: string | undefined) {
  const say = useAnnounce()
  const waited = useRef(text === undefined)
  useEffect(() => {
    if (text && waited.current) say(text)
    waited.current = text === undefined
  }, [say, text])
}

export function Price({ sku }: { sku: string }) {
  const { data, loading, refetch } = useQuery(ProductOfferDocument, { variables: { sku } })
  const product = data?.product
  const price = product?.price
  const mark = useFreshness(product ?? { __typename: 'Product', sku }, 'price')
  useArrival(price ? `Price: ${price.unit.formatted}` : undefined)
  return (
    <div className="price">
      <Part mark={mark} missing={!price} pending={loading} what="The price" retry={refetch} skeleton={<Skeleton className="line price" />}>
        {price ? (
          <>
            <span className="unit">{price.unit.formatted}</span>
            {price.unit.amount !== price.list.amount && <s><span className="visually-hidden">Recommended price </span>{price.list.formatted}</s>}
            {price.tiers.length > 0 && (
              <ul className="tiers">
                {price.tiers.map(({ minQuantity, unit }) => <li key={minQuantity}>from {minQuantity}: {unit.formatted} each</li>)}
              </ul>
            )}
          </>
        ) : <span>No price yet</span>}
      </Part>
    </div>
  )
}

export function Availability({ sku }: { sku: string }) {
  const { data, loading, refetch } = useQuery(ProductStockDocument, { variables: { sku } })
  const stock = data?.product?.availability
  const mark = useFreshness(data?.product ?? { __typename: 'Product', sku }, 'availability')
  return (
    <div className="stock">
      <Part mark={mark} missing={!stock} pending={loading} what="Whether it is in stock" retry={refetch} skeleton={<Skeleton className="line short" />}>
        {stock ? (
          <details>
            <summary className={stock.inStock ? 'good' : 'bad'}>{stock.inStock ? `In stock: ${stock.quantity}` : 'Sold out'}</summary>
            <ul>{stock.locations.map(({ id, name, quantity }) => <li key={id}>{name}: {quantity}</li>)}</ul>
          </details>
        ) : <span>Stock is not known</span>}
      </Part>
    </div>
  )
}

export function GoesWith({ sku }: { sku: string }) {
  const { data, loading, refetch } = useQuery(ProductGoesWithDocument, { variables: { sku } })
  const related = data?.product?.related
  const mark = useFreshness(data?.product ?? { __typename: 'Product', sku }, 'related')
  if (!loading && !mark && related?.length === 0) return null
  return (
    <section aria-labelledby="with">
      <h2 id="with">Goes well with</h2>
      <Part mark={mark} missing={!related?.length} pending={loading} what="What goes with it" retry={refetch} skeleton={<Placeholders count={4} />}>
        <Products products={related ?? []} />
      </Part>
    </section>
  )
}

export function Opinions({ sku }: { sku: string }) {
  const { data, loading, refetch } = useQuery(ProductOpinionsDocument, { variables: { sku } })
  const reviews = data?.product?.reviews
  const mark = useFreshness(data?.product ?? { __typename: 'Product', sku }, 'reviews')
  return (
    <section aria-labelledby="reviews" className="reviews">
      <h2 id="reviews">Reviews</h2>
      <Part mark={mark} missing={!reviews || (mark?.state === 'filler' && reviews.count === 0)} pending={loading} what="Reviews" retry={refetch} skeleton={<Skeleton className="text" />}>
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
