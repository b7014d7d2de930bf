import type { Server } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { App } from '../app-type.ts'

/** Longest wait of requests for new connections, in milliseconds. */
const LONGEST = 50

/**
 * Accepts all pending connections before handling any request.
 *
 * Node accepts one connection per turn of its event loop. In a storm, requests make the turns long, and a new client
 * would wait for hundreds of them, which no time limit of ours counts. So new requests wait until a turn has accepted
 * no connection. Requests on older connections wait too, because they make turns as long.
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
 * Waits for a turn of the event loop, after this one, that accepts no connection; at most `longest` milliseconds.
 *
 * With `shortTurn`, in milliseconds, the turn must also have been shorter than this: a connection that arrives during a
 * turn is only seen in the next.
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
