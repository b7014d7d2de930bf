import { once } from 'node:events'
import { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../app-type.ts'
import { untilNobodyComes } from './accepting.ts'
import type { Connections } from './open-connections.ts'

/** How long clients that wait are taken in while the app closes, and then may still bring a request; in milliseconds. */
const LAST_CHANCE = 1000

/** A turn of Node's loop that was as short brought next to nothing, in milliseconds. */
const SHORT_TURN = 0.2

/**
 * Lets the app close without dropping a request: it listens no more at once, but a connection that is already there may
 * bring one for a second, and the answer to the last request on a connection ends it (RFC 9112 §9.6).
 *
 * Without that second, a request would be reset that is on its way on a connection kept alive. Without its end, clients
 * that keep connections open, used or not, as browsers and load balancers do, would hold up the process.
 */
export function endConnectionsWhenClosing(app: App, connections: Connections): void {
  let closing = false
  app.addHook('onSend', (request, reply, _payload, next) => {
    if (closing) {
      const last = connections.get(request.raw.socket)?.at(-1)
      if (last === reply.raw) reply.header('connection', 'close')
      // Others have come behind it, and would be dropped; Fastify says it to all.
      else reply.raw.removeHeader('connection')
    }
    next()
  })
  app.addHook('preClose', async () => {
    closing = true
    // The system connects clients before Node takes them, and resets whoever was not taken when the app stops listening.
    await untilNobodyComes(app.server, LAST_CHANCE, SHORT_TURN)
    const drained = once(app.server, 'close')
    // What http.Server adds to this is the end of idle connections, at once; Fastify calls it after this hook.
    Server.prototype.close.call(app.server)
    await Promise.race([drained, sleep(LAST_CHANCE, undefined, { ref: false })])
    for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy()
  })
}
