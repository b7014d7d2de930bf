import type { App } from './app.ts'

/** Longest that requests are held while clients are still let in, in milliseconds. */
const LONGEST = 50

/**
 * Lets in all clients that wait to be, before it begins the requests of any.
 *
 * Node accepts one connection at each turn of its loop. In a storm, the requests of those who are in make turns long, and
 * whoever connects has to wait for hundreds of them, unseen by every time limit of ours. So requests that come while
 * clients are let in begin when a turn has brought nobody; until then turns are short. To hold those of newcomers alone
 * would not do: the requests of the others make turns as long.
 */
export function acceptFirst(app: App): void {
  let [accepting, accepted, since] = [false, false, 0]
  let held: (() => void)[] = []
  app.server.on('connection', () => {
    accepted = true
    if (accepting) return
    accepting = true
    since = performance.now()
    setImmediate(endTurn)
  })
  app.addHook('onRequest', (_request, _reply, next) => {
    if (accepting) held.push(next)
    else next()
  })

  function endTurn(): void {
    if (accepted && performance.now() - since < LONGEST) {
      accepted = false
      setImmediate(endTurn)
      return
    }
    accepting = false
    const requests = held
    held = []
    for (const begin of requests) begin()
  }
}
