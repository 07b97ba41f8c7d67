import { useState } from 'react'
import { useQuery } from '@apollo/client/react'
import { CategoryPageDocument, SearchPageDocument, type FoundFragment, type SearchFilterInput, type Sort } from '../gql/graphql'
import { go, Link, useHeading, usePlace } from '../router'
import { useFreshness } from '../session'
import { Placeholders, Products } from '../ui/card'
import { Crumbs } from '../ui/crumbs'
import { Part } from '../ui/part'
import type { Mark } from '../api/freshness'

const sorts: Record<string, string> = { RELEVANCE: 'Best match', NAME: 'Name', PRICE_ASC: 'Price, low to high', PRICE_DESC: 'Price, high to low', NEWEST: 'Newest' }
const own = new Set(['q', 'sort', 'stock']) // what else is in the address are choices of facets

// chosen reads the filter off the address, so that a link shows what its sender saw.
function chosen(query: URLSearchParams): { filter: SearchFilterInput; sort: Sort | null } {
  const facets = [...new Set(query.keys())].filter((code) => !own.has(code)).map((code) => ({ code, values: query.getAll(code) }))
  const sort = query.get('sort') ?? ''
  return {
    filter: { ...(facets.length > 0 && { facets }), ...(query.has('stock') && { inStock: true }) },
    sort: sort in sorts ? (sort as Sort) : null,
  }
}

// turn is the address with one more choice, or one less.
function turn(path: string, query: URLSearchParams, code: string, value: string, on: boolean) {
  const next = new URLSearchParams(query)
  if (on) next.append(code, value)
  else next.delete(code, value)
  const text = next.toString()
  return text ? `${path}?${text}` : path
}

export function CategoryPage({ id }: { id: string }) {
  const { query } = usePlace()
  const { data, previousData, loading, error, refetch, fetchMore } = useQuery(CategoryPageDocument, { variables: { id, ...chosen(query) } })
  const category = (data ?? previousData)?.category
  const title = category?.name ?? (loading ? undefined : error ? 'Category' : 'No such category')
  const heading = useHeading(title)
  const mark = useFreshness(category, 'products')
  return (
    <>
      <Crumbs entries={category?.breadcrumbs?.slice(0, -1)} />
      <h1 ref={heading} tabIndex={-1}>{title ?? '\u00a0'}</h1>
      {category?.description && <p>{category.description}</p>}
      {category && category.children.length > 0 && (
        <nav aria-label={`In ${category.name}`}>
          <ul className="chips">
            {category.children.map((child) => <li key={child.id}><Link href={`/category/${child.id}`}>{child.name}</Link></li>)}
          </ul>
        </nav>
      )}
      <Listing found={category?.products} mark={mark} loading={loading} standing="NAME" offered={['NAME', 'PRICE_ASC', 'PRICE_DESC', 'NEWEST']}
        retry={refetch} more={(after) => fetchMore({ variables: { after } })} />
    </>
  )
}

const root = { __typename: 'Query' }

export function SearchPage() {
  const { query } = usePlace()
  const text = query.get('q') ?? ''
  const { data, previousData, loading, refetch, fetchMore } = useQuery(SearchPageDocument, { variables: { text, ...chosen(query) } })
  const title = text ? `Search: ${text}` : 'All products'
  const heading = useHeading(title)
  const mark = useFreshness(root, 'search')
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      <Listing found={(data ?? previousData)?.search} mark={mark} loading={loading} standing={text ? 'RELEVANCE' : 'NAME'} offered={Object.keys(sorts)}
        retry={refetch} more={(after) => fetchMore({ variables: { after } })} />
    </>
  )
}

function Listing({ found, mark, loading, standing, offered, retry, more }: {
  found: FoundFragment | null | undefined
  mark: Mark | undefined
  loading: boolean
  standing: string
  offered: string[]
  retry: () => Promise<unknown>
  more: (after: string) => Promise<unknown>
}) {
  const { path, query } = usePlace()
  const sort = query.get('sort') ?? standing
  const sorted = (to: string) => {
    const next = new URLSearchParams(query)
    next.set('sort', to)
    go(`${path}?${next}`, { replace: true })
  }
  return (
    <div className="listing">
      <Filter found={found} />
      <section aria-labelledby="found" aria-busy={loading}>
        <h2 id="found" className="visually-hidden">Products</h2>
        <div className="bar">
          <p role="status">{found ? `${found.totalCount} ${found.totalCount === 1 ? 'product' : 'products'}` : '\u00a0'}</p>
          <label>
            <span>Sort by</span>
            <select value={sort} onChange={(event) => sorted(event.target.value)}>
              {offered.map((entry) => <option key={entry} value={entry}>{sorts[entry]}</option>)}
            </select>
          </label>
        </div>
        <Part mark={mark} missing={!found} pending={loading} what="The products" retry={retry} skeleton={<Placeholders count={8} />}>
          {found && <Found found={found} more={more} />}
        </Part>
      </section>
    </div>
  )
}

function Found({ found, more }: { found: FoundFragment; more: (after: string) => Promise<unknown> }) {
  const [asking, setAsking] = useState(false)
  const { endCursor, hasNextPage } = found.pageInfo
  const next = () => {
    if (asking || !endCursor) return
    setAsking(true)
    more(endCursor).catch(() => undefined).finally(() => setAsking(false))
  }
  if (found.totalCount === 0) return <p>Nothing fits. Fewer choices show more.</p>
  return (
    <>
      <Products products={found.nodes} eager={4} />
      {hasNextPage && (
        <button type="button" className="more" onClick={next} aria-disabled={asking}>
          {asking ? 'Loading…' : `Show more (${found.nodes.length} of ${found.totalCount})`}
        </button>
      )}
    </>
  )
}

// Filter are the facets as checkboxes; what is chosen is in the address.
function Filter({ found }: { found: FoundFragment | null | undefined }) {
  const { path, query } = usePlace()
  const [open, setOpen] = useState(() => matchMedia('(min-width: 60rem)').matches)
  const set = (code: string, value: string, on: boolean) => go(turn(path, query, code, value, on), { replace: true })
  const count = [...query.keys()].filter((key) => !['q', 'sort'].includes(key)).length
  return (
    <aside aria-label="Filter">
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Filter{count > 0 && ` (${count})`}</summary>
        <label className="check">
          <input type="checkbox" checked={query.has('stock')} onChange={(event) => set('stock', '1', event.target.checked)} /> In stock only
        </label>
        {found?.facets.filter(({ values }) => values.length > 1 || values.some(({ selected }) => selected)).map(({ code, label, values }) => (
          <fieldset key={code}>
            <legend>{label}</legend>
            {values.map(({ value, label: text, count }) => (
              <label key={value} className="check">
                <input type="checkbox" checked={query.has(code, value)} onChange={(event) => set(code, value, event.target.checked)} />
                {text} <span className="faint">{count}</span>
              </label>
            ))}
          </fieldset>
        ))}
      </details>
    </aside>
  )
}
