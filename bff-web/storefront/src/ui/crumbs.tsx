import { Link } from '../router'

// Crumbs are the way from the shop's door to here.
export function Crumbs({ entries }: { entries: readonly { id: string; name: string }[] | null | undefined }) {
  return (
    <nav className="crumbs" aria-label="Breadcrumbs">
      <ol>
        <li><Link href="/">Shop</Link></li>
        {entries?.map(({ id, name }) => <li key={id}><Link href={`/category/${id}`}>{name}</Link></li>)}
      </ol>
    </nav>
  )
}
