import type { App } from '../app-type.ts'
import type { Connections } from './open-connections.ts'

/** Most requests that a connection may have open; each holds memory, and some a file. */
export const MOST_OPEN = 32

/**
 * Closes a connection that sends many requests without waiting for answers (pipelining, RFC 9112 §9.3.2). Clients that
 * pipeline send a few at once; most send one.
 */
export function limitPipelining(app: App, connections: Connections): void {
  app.server.on('request', ({ socket }) => {
    if (Number(connections.get(socket)?.length) > MOST_OPEN) socket.destroy()
  })
}
