import { Link } from '../router'
import { useFreshness } from '../session'
import { Picture } from './picture'
import { Skeleton, Stale } from './part'
import type { CardFragment, CardOfferFragment } from '../gql/graphql'

type Shown = CardFragment & Partial<CardOfferFragment>

// Products is a grid of products; those that cannot be had leave no gap.
export function Products({ products, eager = 0 }: { products: readonly (Shown | null)[]; eager?: number }) {
  return (
    <ul className="grid">
      {products.map((product, i) => product && (
        <li key={product.sku}>
          <Card product={product} eager={i < eager} />
        </li>
      ))}
    </ul>
  )
}

function Card({ product, eager }: { product: Shown; eager: boolean }) {
  const price = useFreshness(product, 'price')
  const stock = useFreshness(product, 'availability')
  const cost = product.price
  return (
    <article className="card">
      <Picture image={product.images[0]} eager={eager} />
      <h3>
        <Link href={`/product/${product.sku}`}>{product.name}</Link>
      </h3>
      <p className="cost">
        {cost ? <><span className="unit">{cost.unit.formatted}</span> {cost.unit.amount !== cost.list.amount && <s>{cost.list.formatted}</s>}</>
          : cost === undefined ? <Skeleton className="line short" /> : <span className="faint">{price ? 'Price not available' : 'No price yet'}</span>}
        {price?.state === 'stale' && <Stale mark={price} />}
      </p>
      <p className="faint">
        {product.availability ? (product.availability.inStock ? 'In stock' : 'Sold out') : stock ? 'Stock unknown' : '\u00a0'}
      </p>
    </article>
  )
}

// Placeholders hold the place of products.
export function Placeholders({ count }: { count: number }) {
  return (
    <ul className="grid" aria-hidden="true">
      {Array.from({ length: count }, (_, i) => (
        <li key={i} className="card">
          <Skeleton className="photo" />
          <Skeleton className="line" />
          <Skeleton className="line short" />
        </li>
      ))}
    </ul>
  )
}
