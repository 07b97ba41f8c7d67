import { useState, type ReactNode } from 'react'
import type { Mark } from '../api/freshness'

// Part shows what one system contributes, or says honestly that it cannot be had.
export function Part({ mark, missing, what, retry, pending, skeleton, children }: {
  mark: Mark | undefined
  missing: boolean // there is nothing to show
  what: string // "The price"
  retry: () => Promise<unknown>
  pending: boolean
  skeleton: ReactNode
  children: ReactNode
}) {
  if (missing && pending) return skeleton
  if (mark?.state === 'missing' || (mark?.state === 'filler' && missing)) return <Missing what={what} retry={retry} />
  return (
    <>
      {children}
      {mark?.state === 'filler' && <Missing what={what} retry={retry} />}
      {mark?.state === 'stale' && <Stale mark={mark} />}
    </>
  )
}

// Missing says what cannot be had, and asks for it again.
export function Missing({ what, retry }: { what: string; retry: () => Promise<unknown> }) {
  const [asking, setAsking] = useState(false)
  const again = () => {
    setAsking(true)
    retry().catch(() => undefined).finally(() => setAsking(false))
  }
  return (
    <p className="missing" role="status">
      <span>{what} cannot be shown right now.</span>
      <button type="button" className="quiet" onClick={again} aria-disabled={asking}>
        {asking ? 'Trying…' : 'Try again'}
      </button>
    </p>
  )
}

// Stale is the mark on a part that is older than it should be.
export function Stale({ mark }: { mark: Mark }) {
  const age = mark.since === undefined ? '' : ago(Date.now() - mark.since)
  return (
    <small className="stale" title={`Last known; ${mark.source} did not answer in time`}>
      <span aria-hidden="true">◷</span> {age ? `as of ${age} ago` : 'last known'}
    </small>
  )
}

function ago(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

export function Skeleton({ className = '' }: { className?: string }) {
  return <span className={`skeleton ${className}`} aria-hidden="true" />
}
