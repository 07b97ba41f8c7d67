import { useEffect, useId, useState, type KeyboardEvent, type SyntheticEvent } from 'react'
import { useApolloClient } from '@apollo/client/react'
import { SuggestionsDocument, type CardFragment } from '../gql/graphql'
import { go, usePlace } from '../router'
import { Picture } from './picture'

const debounceMs = 150

// useSuggestions are the products that fit what is typed. What is asked for an older text is given up.
function useSuggestions(text: string) {
  const client = useApolloClient()
  const [found, setFound] = useState<{ text: string; products: CardFragment[] }>({ text: '', products: [] })
  useEffect(() => {
    const asked = text.trim()
    if (asked.length < 2) return
    const gone = new AbortController()
    const timer = setTimeout(() => {
      client.query({ query: SuggestionsDocument, variables: { text: asked }, context: { fetchOptions: { signal: gone.signal } } }).then(
        ({ data }) => gone.signal.aborted || setFound({ text: asked, products: data?.search?.nodes.filter((node) => node !== null) ?? [] }),
        () => undefined, // given up, or the search cannot be asked: Enter still goes to its page, which says so
      )
    }, debounceMs)
    return () => {
      clearTimeout(timer)
      gone.abort()
    }
  }, [client, text])
  return text.trim().length < 2 ? [] : found.products
}

// SearchBox is a combobox with a list of products below it.
export function SearchBox() {
  const { path, query } = usePlace()
  const [text, setText] = useState(path === '/search' ? (query.get('q') ?? '') : '')
  const [open, setOpen] = useState(false)
  const [active, setActive] = useState(-1)
  const list = useId()
  const products = useSuggestions(open ? text : '')
  const shown = open && products.length > 0
  const current = shown ? products[active] : undefined

  const leave = (to: string) => {
    setOpen(false)
    setActive(-1)
    go(to)
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    leave(current ? `/product/${current.sku}` : `/search?q=${encodeURIComponent(text.trim())}`)
  }
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === 'Escape') {
      if (shown) setOpen(false)
      else setText('')
      setActive(-1)
    } else if (step && products.length > 0) {
      event.preventDefault()
      setOpen(true)
      setActive((at) => ((at + 1 + step + products.length + 1) % (products.length + 1)) - 1) // -1 is the text itself
    }
  }
  return (
    <form role="search" className="searchbox" onSubmit={submit} onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}>
      <input type="search" role="combobox" aria-label="Search" placeholder="Search" autoComplete="off" value={text} enterKeyHint="search" maxLength={200}
        aria-expanded={shown} aria-controls={list} aria-autocomplete="list" aria-activedescendant={current && `${list}-${current.sku}`}
        onChange={(event) => { setText(event.target.value); setOpen(true); setActive(-1) }} onKeyDown={keys} />
      <ul role="listbox" id={list} aria-label="Products" hidden={!shown}>
        {shown && products.map((product, i) => (
          <li key={product.sku} id={`${list}-${product.sku}`} role="option" aria-selected={i === active}
            onPointerDown={(event) => event.preventDefault()} onClick={() => leave(`/product/${product.sku}`)}>
            <Picture image={product.images[0] && { ...product.images[0], alt: '' }} /> {product.name}
          </li>
        ))}
      </ul>
      <span className="visually-hidden" role="status">{shown ? `${products.length} suggestions` : ''}</span>
    </form>
  )
}
