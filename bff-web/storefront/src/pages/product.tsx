import { useState } from 'react'
import { useQuery } from '@apollo/client/react'
import { ProductPageDocument, type ProductPageQuery } from '../gql/graphql'
import { Link, useHeading } from '../router'
import { Crumbs } from '../ui/crumbs'
import { Missing, Skeleton } from '../ui/part'
import { Picture } from '../ui/picture'
import { Availability, GoesWith, Opinions, Price } from './productparts'
import { Buy } from './buy'
import { Variants } from './variants'

type Product = NonNullable<ProductPageQuery['product']>
export type Parts = { sku: string; product: Partial<Product> | null | undefined; pending: boolean }

export function ProductPage({ sku }: { sku: string }) {
  const { data, previousData, loading, error, refetch } = useQuery(ProductPageDocument, { variables: { sku }, returnPartialData: true })
  const product = data?.product as Partial<Product> | null | undefined
  const before = previousData?.product as Partial<Product> | null | undefined
  // The choices stay where they are, and focus with them, while what was chosen is on its way.
  const choices = product?.variants && product.optionAxes ? product : before?.variants?.some((variant) => variant?.sku === sku) ? before : undefined
  const parts: Parts = { sku, product, pending: loading }
  const title = product?.name ?? (loading ? undefined : error ? 'Product' : 'No such product')
  const heading = useHeading(title)
  if (!product?.name && !loading) {
    return (
      <>
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {error ? <Missing what="The product" retry={refetch} /> : <p>It may have been sold out for good. <Link href="/">Go to the shop</Link></p>}
      </>
    )
  }
  return (
    <>
      <Crumbs entries={product?.breadcrumbs} />
      <article className="product">
        <Picture image={product?.images?.[0]} eager timing="image" />
        <div className="facts">
          {product?.brand && <p className="faint">{product.brand}</p>}
          <h1 ref={heading} tabIndex={-1} {...{ elementtiming: 'name' }}>{product?.name ?? <Skeleton className="line" />}</h1>
          <Price {...parts} />
          <Availability {...parts} />
          {choices?.variants && choices.optionAxes && <Variants sku={sku} variants={choices.variants} axes={choices.optionAxes} />}
          <Buy sku={sku} name={product?.name ?? ''} />
          {product?.description === undefined ? <Skeleton className="text" />
            : <p className="description" {...{ elementtiming: 'description' }}>{product.description}</p>}
          {product?.attributes && <Attributes attributes={product.attributes} />}
        </div>
      </article>
      <GoesWith {...parts} />
      <Opinions {...parts} />
    </>
  )
}

function Attributes({ attributes }: { attributes: Product['attributes'] }) {
  const [open, setOpen] = useState(true)
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Details</summary>
      <dl>
        {attributes.map(({ code, label, value, unit }) => (
          <div key={code}>
            <dt>{label}</dt>
            <dd>{value} {unit}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
