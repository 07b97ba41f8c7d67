// Subscriptions as server-sent events, one request each ("distinct connections" of the graphql-sse protocol). A stream that ends is asked for again, later
// and later, unless its last answer says that there is nothing to wait for.
import { ApolloLink, Observable } from '@apollo/client'
import type { FormattedExecutionResult } from 'graphql'

const longestWaitMs = 30_000

export const liveLink = new ApolloLink((operation) => new Observable((observer) => {
  const gone = new AbortController()
  void follow(operation, gone.signal, (answer) => observer.next(answer)).finally(() => observer.complete())
  return () => gone.abort()
}))

type Answer = FormattedExecutionResult

async function follow(operation: ApolloLink.Operation, gone: AbortSignal, next: (answer: Answer) => void) {
  let waitMs = 1000
  while (!gone.aborted) {
    let last: Answer | undefined
    await stream(operation, gone, (answer) => {
      last = answer
      waitMs = 1000
      next(answer)
    }).catch(() => undefined) // the line was cut
    if (last && isOver(last)) return
    await pause(waitMs * (0.5 + Math.random() / 2), gone)
    waitMs = Math.min(2 * waitMs, longestWaitMs)
  }
}

// isOver tells whether an answer is the last there can be: nothing is there, or the session has ended.
function isOver({ data, errors }: Answer) {
  return errors ? !data : Object.values(data ?? {}).every((value) => value === null)
}

async function stream({ operationName, variables, extensions, getContext }: ApolloLink.Operation, gone: AbortSignal, next: (answer: Answer) => void) {
  const response = await fetch('/graphql', {
    method: 'POST',
    signal: gone,
    headers: { ...getContext().headers, 'X-CSRF': '1', 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ operationName, variables, extensions }),
  })
  if (!response.ok || !response.body) throw new Error(`subscription: ${response.status}`)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const events = (text + value).split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const fields = new Map(event.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
      if (fields.get('event') === 'complete') return
      if (fields.get('event') === 'next') next(JSON.parse(fields.get('data') ?? ''))
    }
  }
}

function pause(ms: number, gone: AbortSignal) {
  return new Promise<void>((done) => {
    setTimeout(done, ms)
    gone.addEventListener('abort', () => done(), { once: true })
  })
}
