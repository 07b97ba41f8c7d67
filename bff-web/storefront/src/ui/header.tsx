import { useQuery } from '@apollo/client/react'
import { NavigationDocument } from '../gql/graphql'
import { useCart } from '../cart'
import { Link, usePlace } from '../router'
import { useSession } from '../session'
import { SearchBox } from './searchbox'

export function Header() {
  const { data } = useQuery(NavigationDocument)
  const { customer } = useSession()
  const { quantity } = useCart()
  const { path } = usePlace()
  return (
    <header>
      <Link href="/" className="brand"><img src="/icon.svg" alt="" width={28} height={28} /> Ridge &amp; Road</Link>
      <nav aria-label="Categories">
        <ul>
          {data?.categories?.map(({ id, name }) => (
            <li key={id}>
              <Link href={`/category/${id}`} aria-current={path === `/category/${id}` ? 'page' : undefined}>{name}</Link>
            </li>
          ))}
        </ul>
      </nav>
      <SearchBox />
      <div className="own">
        <Link href="/account">{customer ? customer.name.split(' ')[0] : 'Sign in'}</Link>
        <Link href="/cart" aria-label={`Cart, ${quantity} ${quantity === 1 ? 'item' : 'items'}`}>
          Cart <span className="count" aria-hidden="true">{quantity}</span>
        </Link>
      </div>
    </header>
  )
}
