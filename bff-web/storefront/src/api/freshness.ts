// What an answer says about its parts that are not fresh, kept beside Apollo's cache by the same names: a
// mark stands on a field of an entity, whichever query brought it, until a later answer brings the field fresh.
import { ApolloLink } from '@apollo/client'
import { tap } from 'rxjs'
import { useSyncExternalStore } from 'react'

export type Mark = {
  state: 'stale' | 'filler' | 'missing'
  source: string
  since?: number // when the value left its system, as the clock here has it
  reason?: string
  retryAfterMs?: number
}

type Line = { path: (string | number)[]; source: string; state: Mark['state']; ageMs?: number; reason?: string; retryAfterMs?: number }
type Value = Record<string, unknown>
type Piece = { path?: (string | number)[]; data?: Value | null; errors?: readonly Failure[]; extensions?: Extensions }
type Extensions = { freshness?: Line[] }
type Answer = Piece & { incremental?: Piece[] }
type Failure = { path?: readonly (string | number)[] }

// Marks are the marks of one client.
export class Marks {
  private marks = new Map<string, Mark>()
  private watchers = new Set<() => void>()

  watch = (changed: () => void) => {
    this.watchers.add(changed)
    return () => void this.watchers.delete(changed)
  }

  get(entity: string, field: string): Mark | undefined {
    return this.marks.get(`${entity}.${field}`)
  }

  // take reads an answer, or a part that came later: what it brings is fresh but for what it lists. Paths count from the root.
  take(root: Value, { path = [], data, errors = [], extensions }: Piece) {
    this.forget(data, nameOf((at(root, path) as Value | undefined) ?? root))
    const now = Date.now()
    for (const error of errors) {
      if (error.path) this.set(root, error.path, { state: 'missing', source: '' })
    }
    for (const { path, ageMs, ...mark } of extensions?.freshness ?? []) {
      this.set(root, path, { ...mark, since: ageMs === undefined ? undefined : now - ageMs })
    }
    this.watchers.forEach((changed) => changed())
  }

  private set(root: Value, path: readonly (string | number)[], mark: Mark) {
    const field = path.findLastIndex((step) => typeof step === 'string')
    this.marks.set(`${nameOf((at(root, path.slice(0, field)) as Value | undefined) ?? root)}.${path[field]}`, mark)
  }

  private forget(value: unknown, name?: string) {
    if (Array.isArray(value)) return value.forEach((entry) => this.forget(entry))
    if (!value || typeof value !== 'object') return
    name ??= nameOf(value as Value)
    for (const [field, below] of Object.entries(value)) {
      this.marks.delete(`${name}.${field}`)
      this.forget(below)
    }
  }
}

function at(root: Value, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, step) => (value as Value | null | undefined)?.[step], root)
}

// partOf has types that bring a part of another.
const partOf: Record<string, string> = { ProductAvailability: 'Product' }

// nameOf is what an object is kept under.
export function nameOf(value: Value): string {
  const type = String(value.__typename ?? 'Query')
  return `${partOf[type] ?? type}:${value.sku ?? value.number ?? value.id ?? ''}`
}

// freshnessLink has every answer, and every part that comes later, read for marks.
export function freshnessLink(marks: Marks) {
  return new ApolloLink((operation, forward) => {
    let root: Value = {}
    return forward(operation).pipe(
      tap((result) => {
        const answer = result as unknown as Answer
        if (!answer.incremental) root = structuredClone(answer.data ?? {})
        if (answer.data !== undefined || answer.errors) marks.take(root, answer)
        for (const piece of answer.incremental ?? []) {
          const parent = at(root, piece.path ?? [])
          if (parent && piece.data) Object.assign(parent, structuredClone(piece.data))
          marks.take(root, piece)
        }
      }),
    )
  })
}

// useMark is the mark on a field, if there is one.
export function useMark(marks: Marks, entity: Value | undefined | null, field: string): Mark | undefined {
  return useSyncExternalStore(marks.watch, () => (entity ? marks.get(nameOf(entity), field) : undefined))
}
