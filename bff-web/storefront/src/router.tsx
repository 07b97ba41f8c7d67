import { useEffect, useRef, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react'

// Place is where the shop is: what the address says.
export type Place = { path: string; query: URLSearchParams }

const moved = 'shop:moved'
let current = read()
let replaced = false // whether the last move only narrowed the page that was there

function read(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) }
}

function refresh() {
  current = read()
}

function subscribe(changed: () => void) {
  const look = ({ type }: Event) => {
    if (type === 'popstate') replaced = false
    refresh()
    changed()
  }
  addEventListener('popstate', look)
  addEventListener(moved, look)
  return () => {
    removeEventListener('popstate', look)
    removeEventListener(moved, look)
  }
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, () => current)
}

// go changes the address. What only narrows the page that is there replaces it and leaves focus and scroll alone.
export function go(to: string, { replace = false } = {}) {
  if (to === location.pathname + location.search) return
  replaced = replace
  history[replace ? 'replaceState' : 'pushState'](null, '', to)
  if (!replace) {
    performance.mark('shop:navigated', { detail: to })
    scrollTo(0, 0)
  }
  dispatchEvent(new Event(moved))
}

// Link is an anchor that stays in the shop, unless a new tab is asked for.
export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const followed = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(href)
  }
  return <a href={href} onClick={followed} {...rest} />
}

let first = true

// useHeading names the page, and moves focus to its heading when the shop went there by itself.
export function useHeading(title: string | undefined) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { path } = usePlace()
  const told = useRef<string>(undefined)
  useEffect(() => {
    if (!title) return
    document.title = `${title} · Ridge & Road`
    if (told.current === path) return
    told.current = path
    if (!first && !replaced) heading.current?.focus({ preventScroll: true })
    first = false
  }, [title, path])
  return heading
}
