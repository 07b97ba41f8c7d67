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
type Piece = { path?: (string | number)[]; data?: Value | null; extensions?: Extensions }
type Extensions = { freshness?: Line[] }
type Answer = Piece & { incremental?: Piece[]; errors?: readonly Failure[] }
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

  // take reads an answer: what it brings is fresh but for what it lists.
  take(root: Value, data: unknown, lines: Line[], failures: readonly Failure[]) {
    this.forget(data)
    const now = Date.now()
    for (const { path } of failures) {
      if (path) this.set(root, [...path], { state: 'missing', source: '' })
    }
    for (const { path, ageMs, ...rest } of lines) {
      this.set(root, path, { ...rest, since: ageMs === undefined ? undefined : now - ageMs })
    }
    this.watchers.forEach((changed) => changed())
  }

  private set(root: Value, path: (string | number)[], mark: Mark) {
    const fields = path.slice(0, path.findLastIndex((step) => typeof step === 'string') + 1)
    const parent = fields.slice(0, -1).reduce<unknown>((at, step) => (at as Value | undefined)?.[step], root)
    this.marks.set(`${nameOf((parent as Value | undefined) ?? root)}.${fields.at(-1)}`, mark)
  }

  private forget(value: unknown) {
    if (Array.isArray(value)) return value.forEach((entry) => this.forget(entry))
    if (!value || typeof value !== 'object') return
    const name = nameOf(value as Value)
    for (const [field, below] of Object.entries(value)) {
      this.marks.delete(`${name}.${field}`)
      this.forget(below)
    }
  }
}

// nameOf is what an object is kept under.
export function nameOf(value: Value): string {
  return `${value.__typename ?? 'Query'}:${value.sku ?? value.number ?? value.id ?? ''}`
}

// freshnessLink has every answer, and every part that comes later, read for marks.
export function freshnessLink(marks: Marks) {
  return new ApolloLink((operation, forward) => {
    let root: Value = {}
    return forward(operation).pipe(
      tap((result) => {
        const answer = result as unknown as Answer
        if (!answer.incremental) root = structuredClone(answer.data ?? {})
        marks.take(root, answer.data, answer.extensions?.freshness ?? [], answer.errors ?? [])
        for (const piece of answer.incremental ?? []) {
          const parent = (piece.path ?? []).reduce<unknown>((at, step) => (at as Value | undefined)?.[step], root)
          if (parent && piece.data) Object.assign(parent, piece.data)
          marks.take(root, parent, piece.extensions?.freshness ?? [], [])
        }
      }),
    )
  })
}

// useMark is the mark on a field, if there is one.
export function useMark(marks: Marks, entity: Value | undefined | null, field: string): Mark | undefined {
  return useSyncExternalStore(marks.watch, () => (entity ? marks.get(nameOf(entity), field) : undefined))
}
