import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from '../app-type.ts'

/** The open connections of an app, each with the answers that are not yet sent on it, in the order of their requests. */
export type Connections = ReadonlyMap<Socket, readonly ServerResponse[]>

/** Follows the connections of an app from now on. */
export function followConnections(app: App): Connections {
  const connections = new Map<Socket, ServerResponse[]>()
  app.server.on('connection', (socket) => {
    // No Set: V8 makes it a new table with every other request, and a dead table that has grown old keeps alive all that
    // came after it, until the next full collection.
    const open: ServerResponse[] = []
    connections.set(socket, open)
    socket.once('close', () => {
      connections.delete(socket)
      // Node says it to the answer whose turn it is; what those behind it had opened would stay so for ever. A copy, because
      // each takes itself out.
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
