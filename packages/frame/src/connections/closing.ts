import { once } from 'node:events'
import { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../app-type.ts'
import { untilNobodyComes } from './accepting.ts'
import type { Connections } from './open-connections.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted when the app begins to close, so that requests which wait for something are answered at once. */
    closing: AbortSignal
  }
}

/** How long a closing app accepts pending connections and waits for their requests, in milliseconds. */
const LAST_CHANCE = 1000

/** A turn of the event loop that is shorter than this brought next to nothing, in milliseconds. */
const SHORT_TURN = 0.2

/**
 * Closes the app without dropping a request. It stops listening at once, but an open connection may send a request for
 * one more second, and the answer to its last request ends it (RFC 9112 §9.6).
 *
 * Without that second, a request on its way would be reset. Without the end, clients that keep connections open, such
 * as browsers and load balancers, would keep the process running.
 */
export function endConnectionsWhenClosing(app: App, connections: Connections): void {
  const stopping = new AbortController()
  app.decorate('closing', stopping.signal)
  app.addHook('onSend', (request, reply, _payload, next) => {
    if (stopping.signal.aborted) {
      const last = connections.get(request.raw.socket)?.at(-1)
      if (last === reply.raw) reply.header('connection', 'close')
      // More requests follow on the connection and would be dropped; Fastify sets this on every answer.
      else reply.raw.removeHeader('connection')
    }
    next()
  })
  app.addHook('preClose', async () => {
    stopping.abort()
    // The system connects clients before Node accepts them, and resets the pending ones when the app stops listening.
    await untilNobodyComes(app.server, LAST_CHANCE, SHORT_TURN)
    const drained = once(app.server, 'close')
    // http.Server would also close idle connections at once; Fastify calls it after this hook.
    Server.prototype.close.call(app.server)
    await Promise.race([drained, sleep(LAST_CHANCE, undefined, { ref: false })])
    for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy()
  })
}
