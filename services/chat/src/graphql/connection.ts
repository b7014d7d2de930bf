import type { Socket } from 'node:net'
import type { VerifiedToken, Verifier } from '@latchkey/verifier'
import type { RawData, WebSocket } from 'ws'
import type { Origin } from '../actions/action.ts'
import { CLOSES, type CloseName } from '../sockets/closes.ts'
import { BUSY } from '../sockets/connection-parts.ts'
import { CLOSE_OF, closeOf } from '../sockets/life.ts'
import { Pulse } from '../sockets/pulse.ts'
import type { Rates } from '../sockets/rates.ts'
import type { Entry } from '../sockets/registry.ts'
import type { Carrier } from './events.ts'

/** Most frames before it is known who the client is. */
const MOST_BEFORE = 20

/** Longest reason of a close frame, in bytes (RFC 6455 §5.5). */
const LONGEST_REASON = 123

/** What a connection needs. */
interface ConnectionParts {
  readonly verifier: Verifier
  readonly rates: Rates
  /** How long a client may be silent until it is asked, in milliseconds. */
  readonly heartbeat: number
}

/**
 * One socket that speaks GraphQL, as graphql-ws sees it: nothing comes in or goes out that its token does not allow any
 * more. While the client does not take its answers, nothing more is read.
 */
export class GraphqlConnection implements Entry, Carrier {
  readonly speaks = 'graphql'
  readonly origin: Origin
  readonly protocol: string
  readonly over: AbortSignal
  readonly #parts: ConnectionParts
  readonly #socket: WebSocket
  readonly #pulse: Pulse
  readonly #ending = new AbortController()
  #token: VerifiedToken | undefined
  #stopWatching: (() => void) | undefined
  #take: ((text: string) => Promise<void>) | undefined
  #before = 0
  #lastPage: Promise<unknown> = Promise.resolve()
  #lastOperation: Promise<unknown> = Promise.resolve()

  constructor(parts: ConnectionParts, socket: WebSocket, connection: Socket, origin: Origin) {
    this.origin = origin
    this.protocol = socket.protocol
    this.over = this.#ending.signal
    this.#parts = parts
    this.#socket = socket
    this.#pulse = new Pulse(socket, connection, parts.heartbeat)
    socket
      .on('message', (data, isBinary) => this.#received(data, isBinary))
      .on('ping', () => this.#heard())
      .on('pong', () => this.#heard())
      // The library closes for it.
      .on('error', () => {})
      .on('close', () => this.#ended())
  }

  /** Whose it is, once that is known. */
  get token(): VerifiedToken | undefined {
    return this.#token
  }

  get user(): string {
    return this.#token?.claims.sub ?? ''
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  /** Binds it to the token that the client has shown. */
  bind(token: VerifiedToken): void {
    this.#token = token
    this.#stopWatching = this.#parts.verifier.watch(token, (reason) => this.end(CLOSE_OF[reason]))
  }

  isGood(): boolean {
    if (!this.isOpen) return false
    if (!this.#token) return true
    try {
      this.#parts.verifier.recheck(this.#token)
      return true
    } catch (error) {
      this.end(closeOf(error))
      return false
    }
  }

  isBusy(): boolean {
    return this.#socket.bufferedAmount > BUSY
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#lastPage.then(work)
    this.#lastPage = mine.catch(() => {})
    return mine
  }

  /** Does an operation after earlier ones, as those of other sockets are done. Subscriptions are none of these. */
  afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#lastOperation.then(work)
    this.#lastOperation = mine.catch(() => {})
    return mine
  }

  // For graphql-ws, as the next two.
  onMessage(take: (text: string) => Promise<void>): void {
    this.#take = take
  }

  send(text: string): Promise<void> {
    if (!this.isGood()) return Promise.resolve()
    return new Promise((resolve) => {
      this.#socket.send(text, () => {
        if (this.#socket.isPaused && !this.isBusy()) this.#socket.resume()
        resolve()
      })
      if (this.isBusy()) this.#socket.pause()
    })
  }

  close(code = 1011, reason = ''): void {
    if (!this.isOpen) return
    this.#ending.abort()
    this.#socket.close(code, Buffer.byteLength(reason) > LONGEST_REASON ? '' : reason)
  }

  end(name: CloseName): void {
    this.close(CLOSES[name].code, CLOSES[name].reason)
  }

  look(): void {
    if (!this.#pulse.beats(this.#socket.isPaused)) this.terminate()
    else this.isGood()
  }

  async leave(): Promise<void> {
    await this.#lastOperation
    this.end('shutdown')
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #heard(): boolean {
    this.#pulse.heard()
    this.#before += 1
    const isFlood = this.#token ? this.#parts.rates.isFlood(this.user) : this.#before > MOST_BEFORE
    if (isFlood) this.end('flood')
    return !isFlood
  }

  #received(data: RawData, isBinary: boolean): void {
    if (!this.#heard() || !this.isGood()) return
    if (isBinary) this.end('binary')
    else this.#take?.(data.toString()).catch((error) => this.#failed(error))
  }

  #failed(error: unknown): void {
    this.origin.log.error({ err: error }, 'a message of GraphQL failed')
    this.end('fault')
  }

  #ended(): void {
    this.#ending.abort()
    this.#stopWatching?.()
  }
}
