import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app-type.ts'
import { endGently } from './ending.ts'
import type { Connections } from './open-connections.ts'
import { withoutUpgrade } from './without-upgrade.ts'

declare module 'fastify' {
  interface FastifyInstance {
    upgrades: Upgrades
  }
}

/** A connection whose client asks for the WebSocket protocol, before anybody has answered. */
export interface Handshake {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What came after the head of the request. */
  readonly head: Buffer
}

/**
 * The paths at which clients may change to the WebSocket protocol (RFC 9110 §7.8, RFC 6455 §4).
 *
 * Such a request goes through its GET route like any other, so that it has a request id, one log line, and, if it is
 * refused, an answer as all others have; that answer ends the connection. The route finds the handshake with `of`, and
 * takes the connection with `take`. Every other request with an Upgrade header, such as `Upgrade: h2c` of clients in Java, is
 * answered as if it had none.
 */
export class Upgrades {
  readonly #app: App
  readonly #connections: Connections
  readonly #paths = new Set<string>()
  readonly #handshakes = new WeakMap<IncomingMessage, Handshake>()

  constructor(app: App, connections: Connections) {
    this.#app = app
    this.#connections = connections
    // Also where no path is allowed: Node would then drop the requests that follow such a one at once.
    app.server.on('upgrade', (request, socket, head) => this.#asked({ request, socket: socket as Socket, head }))
  }

  /** Lets handshakes reach the GET route at this path. */
  allow(path: string): void {
    this.#paths.add(path)
  }

  /** The handshake that a request is; none if it asks for no upgrade, or not here. */
  of({ raw }: FastifyRequest): Handshake | undefined {
    return this.#handshakes.get(raw)
  }

  /**
   * Takes the connection of a handshake out of HTTP, and logs the request as answered with 101. The caller writes that
   * answer. A closing app waits for the connection: end it after `app.closing` was aborted.
   */
  take(reply: FastifyReply): Handshake {
    const { raw } = reply
    const handshake = this.#handshakes.get(reply.request.raw)
    if (!handshake) throw new TypeError('the request is no handshake')
    reply.hijack()
    raw.statusCode = 101
    raw.detachSocket(handshake.socket)
    // Nobody else will say so: Fastify logs, and the limits of connections forget the request.
    raw.emit('finish')
    raw.emit('close')
    return handshake
  }

  #asked(handshake: Handshake): void {
    const { socket } = handshake
    socket.on('error', ignore)
    // Earlier requests of the connection get their answers first.
    const last = this.#connections.get(socket)?.at(-1)
    if (last) last.once('close', () => this.#begin(handshake))
    else this.#begin(handshake)
  }

  #begin(handshake: Handshake): void {
    const { request, socket, head } = handshake
    if (socket.destroyed) return
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (asksForWebSocket(request) && this.#paths.has(path)) this.#route(handshake)
    else {
      socket.off('error', ignore)
      socket.unshift(Buffer.concat([withoutUpgrade(request), head]))
      this.#app.server.emit('connection', socket)
    }
  }

  #route(handshake: Handshake): void {
    const { request, socket } = handshake
    this.#handshakes.set(request, handshake)
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => {
      if (response.statusCode === 101) return
      socket.resume()
      endGently(socket)
    })
    this.#app.server.emit('request', request, response)
  }
}

function ignore(): void {}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.trim().toLowerCase() === 'websocket'
}
