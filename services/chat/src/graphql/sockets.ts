import type { Socket } from 'node:net'
import type { App } from '@latchkey/frame/app-type'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Origin } from '../actions/action.ts'
import { originOf } from '../rest/origin.ts'
import { VERSION } from '../sockets/handshake.ts'
import { OPTIONS } from '../sockets/sockets.ts'
import { GraphqlConnection } from './connection.ts'
import { judgeGraphqlHandshake, PROTOCOL } from './handshake.ts'
import { type GraphqlSocketParts, serve } from './serve.ts'

/** Most sockets of one client address that have not said yet who they are. */
const MOST_UNKNOWN = 20

/** After how many seconds such a client may try again. */
const UNKNOWN_RETRY_AFTER = 5

/** The settings of sockets that speak GraphQL; durations in seconds. */
export interface GraphqlSocketSettings {
  readonly CORS_ORIGINS?: readonly string[] | undefined
  readonly SOCKETS_PER_USER: number
  readonly HEARTBEAT: number
}

/** Makes the function that opens a socket for a handshake at /graphql, or throws the refusal. */
export function socketOpener(app: App, settings: GraphqlSocketSettings, parts: GraphqlSocketParts) {
  const { registry, rates, visits, requirePlace } = parts.shared
  const unknown = new Unknown()
  const server = new WebSocketServer({ ...OPTIONS, handleProtocols: () => PROTOCOL })
  const ofConnection = { verifier: parts.verifier, rates, heartbeat: settings.HEARTBEAT * 1000 }

  function open(socket: WebSocket, carrier: Socket, origin: Origin): void {
    const connection = new GraphqlConnection(ofConnection, socket, carrier, origin)
    registry.add(connection)
    const known = unknown.add(origin.client)
    const closed = serve(connection, { ...parts, known, mostOfUser: settings.SOCKETS_PER_USER })
    const since = performance.now()
    socket.once('close', (code, reason) => {
      known()
      registry.delete(connection)
      visits.closed(origin, connection.token?.claims, { code, ms: performance.now() - since })
      closed(code, String(reason)).catch((error) => origin.log.error({ err: error }, 'a socket did not end in order'))
    })
  }

  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const origin = originOf(request)
    try {
      judgeGraphqlHandshake(request.raw, settings.CORS_ORIGINS ?? [])
      requirePlace()
      unknown.requirePlace(origin.client)
    } catch (error) {
      reply.header('connection', 'close')
      if (error instanceof Problem && error.code === 'upgrade_required') reply.header('sec-websocket-version', VERSION)
      throw error
    }
    const { socket: carrier, head } = app.upgrades.take(reply)
    server.handleUpgrade(request.raw, carrier, head, (socket) => open(socket, carrier, origin))
  }
}

/** Counts the sockets of each client address that have not said yet who they are. */
class Unknown {
  readonly #counts = new Map<string, number>()

  /** Throws `too_many_requests` if an address has as many as it may. */
  requirePlace(client: string): void {
    if ((this.#counts.get(client) ?? 0) < MOST_UNKNOWN) return
    throw new Problem('too_many_requests', { retryAfter: UNKNOWN_RETRY_AFTER })
  }

  /** Counts one more; returns what takes it off again, once. */
  add(client: string): () => void {
    this.#counts.set(client, (this.#counts.get(client) ?? 0) + 1)
    let isCounted = true
    return () => {
      if (!isCounted) return
      isCounted = false
      const left = (this.#counts.get(client) ?? 0) - 1
      if (left > 0) this.#counts.set(client, left)
      else this.#counts.delete(client)
    }
  }
}
