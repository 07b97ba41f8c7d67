import { useQuery } from '@apollo/client/react'
import { HomePageDocument } from '../gql/graphql'
import { Link, useHeading } from '../router'
import { useFreshness } from '../session'
import { Placeholders, Products } from '../ui/card'
import { Part } from '../ui/part'
import { Picture } from '../ui/picture'

const root = { __typename: 'Query' }

export function HomePage() {
  const { data, loading, refetch } = useQuery(HomePageDocument)
  const page = data?.page
  const heading = useHeading('Ride further')
  const newest = useFreshness(root, 'search')
  const tree = useFreshness(root, 'categories')
  return (
    <>
      <section className="hero">
        <div>
          <h1 ref={heading} tabIndex={-1}>{page?.title ?? 'Ride further'}</h1>
          {page?.body.split('\n\n').map((text) => <p key={text}>{text}</p>)}
          <Link className="button" href="/category/1">See all bikes</Link>
        </div>
        <Picture image={page?.image} eager />
      </section>
      <section aria-labelledby="departments">
        <h2 id="departments">Departments</h2>
        <Part mark={tree} missing={!data?.categories} pending={loading} what="The departments" retry={refetch} skeleton={<Placeholders count={4} />}>
          <ul className="departments">
            {data?.categories?.map(({ id, name, products }) => (
              <li key={id} className="card">
                <Picture image={photoOf(products?.nodes)} />
                <h3><Link href={`/category/${id}`}>{name}</Link></h3>
              </li>
            ))}
          </ul>
        </Part>
      </section>
      <section aria-labelledby="newest">
        <h2 id="newest">New this season</h2>
        <Part mark={newest} missing={!data?.search} pending={loading} what="The newest products" retry={refetch} skeleton={<Placeholders count={8} />}>
          <Products products={shown(data?.search?.nodes ?? [])} />
        </Part>
      </section>
    </>
  )
}

// photoOf is the first photo among products. It decorates what is named beside it.
function photoOf(nodes: readonly ({ images: { url: string }[] } | null)[] | undefined) {
  const image = nodes?.find((node) => node?.images.length)?.images[0]
  return image && { url: image.url, alt: '' }
}

// shown are the first of the products, those before the others that can be seen.
function shown<P extends { images: readonly unknown[] } | null>(products: readonly P[]) {
  const unseen = (product: P) => (product?.images.length ? 0 : 1)
  return [...products].sort((a, b) => unseen(a) - unseen(b)).slice(0, 8)
}
