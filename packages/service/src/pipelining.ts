import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from './app.ts'

/** Requests that a connection may have open at once: each one holds memory, and some a file. */
export const MOST_OPEN = 32

/**
 * Ends a connection that sends ever more requests without waiting for answers (pipelining, RFC 9112 §9.3.2), and with each
 * connection all answers that wait in it. Clients that pipeline send a few at once, and most send one.
 */
export function limitPipelining(app: App): void {
  const openOn = new WeakMap<Socket, Set<ServerResponse>>()
  app.server.on('connection', (socket) => {
    const open = new Set<ServerResponse>()
    openOn.set(socket, open)
    // Node says it to the answer whose turn it is; what those behind it had opened would stay so for ever.
    socket.once('close', () => {
      for (const response of open) if (!response.socket) response.emit('close')
    })
  })
  app.server.prependListener('request', ({ socket }, response) => {
    const open = openOn.get(socket)
    if (!open) return
    open.add(response)
    response.once('close', () => open.delete(response))
    if (open.size > MOST_OPEN) socket.destroy()
  })
}
