import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from '../app-type.ts'

/** The open connections of an app, each with its unsent answers in the order of their requests. */
export type Connections = ReadonlyMap<Socket, readonly ServerResponse[]>

/** Follows the connections of an app from now on. */
export function followConnections(app: App): Connections {
  const connections = new Map<Socket, ServerResponse[]>()
  app.server.on('connection', (socket) => {
    // It comes again when an upgrade was refused.
    if (connections.has(socket)) return
    // Not a Set: V8 makes a new table for it with every other request, and an old table keeps everything after it in
    // memory until the next full collection.
    const open: ServerResponse[] = []
    connections.set(socket, open)
    socket.once('close', () => {
      connections.delete(socket)
      // Node closes only the current answer; those behind it would keep their files open. It is a copy, because each
      // removes itself.
      for (const response of [...open]) if (!response.socket) response.emit('close')
    })
  })
  // Before Fastify, which may answer at once.
  app.server.prependListener('request', ({ socket }, response) => {
    const open = connections.get(socket)
    open?.push(response)
    response.once('close', () => open?.splice(open.indexOf(response), 1))
  })
  return connections
}
