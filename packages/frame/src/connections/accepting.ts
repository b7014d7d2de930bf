import type { Server } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { App } from '../app-type.ts'

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
  let held: (() => void)[] | undefined
  app.server.on('connection', async () => {
    if (held) return
    held = []
    await untilNobodyComes(app.server, LONGEST)
    const requests = held
    held = undefined
    for (const begin of requests) begin()
  })
  app.addHook('onRequest', (_request, _reply, next) => {
    if (held) held.push(next)
    else next()
  })
}

/**
 * Waits until a turn of Node's loop, after this one, has let in nobody; at most `longest` milliseconds.
 *
 * With `shortTurn`, in milliseconds, that turn must have been shorter, for what comes during a turn is only seen in the
 * next.
 */
export async function untilNobodyComes(server: Server, longest: number, shortTurn = Infinity): Promise<void> {
  let [came, took] = [false, 0]
  const note = () => {
    came = true
  }
  server.on('connection', note)
  const end = performance.now() + longest
  await nextTurn()
  do {
    came = false
    const begun = performance.now()
    await nextTurn()
    took = performance.now() - begun
  } while ((came || took >= shortTurn) && performance.now() < end)
  server.off('connection', note)
}
