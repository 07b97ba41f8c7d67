import { ApolloLink } from '@apollo/client'
import { defer, finalize, from, mergeMap } from 'rxjs'

// takeTurns has the operations on the cart wait for one another: what was read before a change, and comes after its answer, would undo it on the page.
export function takeTurns() {
  let last: Promise<unknown> = Promise.resolve()
  return new ApolloLink((operation, forward) => {
    if (!operation.operationName?.startsWith('Cart')) return forward(operation)
    return defer(() => {
      let done = () => {}
      const over = new Promise<void>((resolve) => (done = resolve))
      const turn = last
      last = turn.then(() => over) // who leaves early does not let the next one in before its time
      return from(turn).pipe(mergeMap(() => forward(operation)), finalize(() => done()))
    })
  })
}
