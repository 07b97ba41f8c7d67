import { lazy, Suspense } from 'react'
import { Link, useHeading, usePlace } from './router'
import { Header } from './ui/header'
import { MarketChoice } from './ui/market'
import { Announcer } from './ui/announce'
import { HomePage } from './pages/home'
import { CategoryPage, SearchPage } from './pages/listing'
import { ProductPage } from './pages/product'

const CartPage = lazy(() => import('./pages/cart'))
const CheckoutPage = lazy(() => import('./pages/checkout'))
const OrderPage = lazy(() => import('./pages/order'))
const AccountPage = lazy(() => import('./pages/account'))
const ContentPage = lazy(() => import('./pages/content'))

function page(path: string) {
  const [, kind, id = ''] = path.split('/').map(decodeURIComponent)
  switch (kind) {
    case '':
      return <HomePage />
    case 'category':
      return <CategoryPage key={id} id={id} />
    case 'search':
      return <SearchPage />
    case 'product':
      return <ProductPage sku={id} />
    case 'cart':
      return <CartPage />
    case 'checkout':
      return <CheckoutPage />
    case 'orders':
      return <OrderPage key={id} number={id} />
    case 'account':
      return <AccountPage />
    case 'pages':
      return <ContentPage key={id} id={id} />
    default:
      return <NothingHere />
  }
}

export function App() {
  const { path } = usePlace()
  return (
    <Announcer>
      <a className="skip" href="#content">Skip to content</a>
      <Header />
      <main id="content" tabIndex={-1}>
        <Suspense fallback={<p className="faint" role="status">Loading…</p>}>{page(path)}</Suspense>
      </main>
      <footer>
        <MarketChoice />
        <nav aria-label="Service">
          <Link href="/pages/shipping">Shipping</Link>
          <Link href="/pages/returns">Returns</Link>
          <Link href="/account">Account</Link>
        </nav>
      </footer>
    </Announcer>
  )
}

function NothingHere() {
  const heading = useHeading('Nothing here')
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>Nothing here</h1>
      <p>There is no such page. <Link href="/">Go to the shop</Link></p>
    </>
  )
}
