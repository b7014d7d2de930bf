import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from './app.ts'

/** The open connections of an app, each with the answers that are not yet sent on it, in the order of their requests. */
export type Connections = ReadonlyMap<Socket, ReadonlySet<ServerResponse>>

/** Follows the connections of an app from now on. */
export function followConnections(app: App): Connections {
  const connections = new Map<Socket, Set<ServerResponse>>()
  app.server.on('connection', (socket) => {
    const open = new Set<ServerResponse>()
    connections.set(socket, open)
    socket.once('close', () => {
      connections.delete(socket)
      // Node says it to the answer whose turn it is; what those behind it had opened would stay so for ever.
      for (const response of open) if (!response.socket) response.emit('close')
    })
  })
  // Before Fastify, which may answer at once.
  app.server.prependListener('request', ({ socket }, response) => {
    const open = connections.get(socket)
    open?.add(response)
    response.once('close', () => open?.delete(response))
  })
  return connections
}
