import type { VerifiedToken } from '@latchkey/verifier'
import type { RawData, WebSocket } from 'ws'
import type { Origin } from '../actions/action.ts'
import type { Batch } from '../live/batch.ts'
import type { Asker } from './asker.ts'
import { CLOSES, type CloseName, reconnectAfter } from './closes.ts'
import { BUSY, type Carrier, type ConnectionParts } from './connection-parts.ts'
import { logRefusal, problemOf } from './failures.ts'
import { errorMessage, type Request, readRequest } from './frames.ts'
import { Life } from './life.ts'
import type { Line } from './line.ts'
import type { Message } from './messages.ts'
import { Pulse } from './pulse.ts'
import { Rooms } from './rooms.ts'

/** With so many requests waiting, nothing more is read. */
const MOST_WAITING = 16

/** With so many frames in a row that are no request the socket is closed. */
const MOST_BAD = 10

const AS_TEXT = { binary: false }

/** One socket: what comes in is a request after the other, and nothing goes out that its token does not allow any more. */
export class Connection implements Line, Asker {
  readonly speaks = 'chat'
  readonly origin: Origin
  readonly life: Life
  readonly rooms: Rooms
  readonly #parts: ConnectionParts
  readonly #socket: WebSocket
  readonly #pulse: Pulse
  #waiting: Request[] = []
  /** Requests wait until `hello` was sent. */
  #running: Promise<void> | undefined
  #bad = 0
  #isLeaving = false

  constructor(parts: ConnectionParts, { socket, connection }: Carrier, token: VerifiedToken, origin: Origin) {
    this.origin = origin
    this.#parts = parts
    this.#socket = socket
    this.#pulse = new Pulse(socket, connection, parts.heartbeat)
    this.life = new Life(parts, this, token)
    this.rooms = new Rooms(parts, this)
    socket
      .on('message', (data, isBinary) => this.#received(data, isBinary))
      .on('ping', () => this.#heard())
      .on('pong', () => this.#heard())
      // The library closes for it.
      .on('error', () => {})
      .on('close', () => this.#ended())
  }

  get line(): Line {
    return this
  }

  /** Whose it is. */
  get user(): string {
    return this.life.claims.sub
  }

  /** Says hello and begins to answer. */
  begin(): void {
    this.#running = this.life
      .hello()
      .then(() => this.#run())
      .catch((error) => this.#failed(error))
  }

  isGood(): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return false
    const end = this.life.end()
    if (end) this.close(end)
    return end === undefined
  }

  isBusy(): boolean {
    return this.#socket.bufferedAmount > BUSY
  }

  send(message: Message): void {
    if (this.isGood()) this.#socket.send(JSON.stringify(message))
  }

  deliver({ frame }: Batch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(frame, AS_TEXT, (error) => (error ? reject(error) : resolve()))
    })
  }

  close(name: CloseName): void {
    const { code, reason } = CLOSES[name]
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (code === CLOSES.shutdown.code || code === CLOSES.overloaded.code) {
      const closing = { type: 'closing', code, reason, reconnect_after_ms: reconnectAfter() }
      this.#socket.send(JSON.stringify(closing))
    }
    this.rooms.close()
    this.#socket.close(code, reason)
    // Else the client's answer would not be read.
    this.#socket.resume()
  }

  /** Looks at everything that nobody tells; called a few times a second. */
  look(): void {
    if (!this.#pulse.beats(this.#isPaused)) this.terminate()
    else if (this.isGood()) this.life.warn()
  }

  /** Answers what has been asked, then says goodbye. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    await this.#running
    this.close('shutdown')
  }

  /** Ends it at once: a close frame would wait behind everything else. */
  terminate(): void {
    this.#socket.terminate()
  }

  get #isPaused(): boolean {
    return this.#socket.isPaused
  }

  // Control frames count like others.
  #heard(): boolean {
    this.#pulse.heard()
    if (!this.#parts.rates.isFlood(this.user)) return true
    this.close('flood')
    return false
  }

  #received(data: RawData, isBinary: boolean): void {
    if (!this.#heard() || !this.isGood() || this.#isLeaving) return
    if (isBinary) this.close('binary')
    else this.#take(data.toString())
  }

  #take(text: string): void {
    try {
      this.#waiting.push(readRequest(text))
    } catch (error) {
      this.send(errorMessage(null, problemOf(error)))
      this.#bad += 1
      if (this.#bad >= MOST_BAD) this.close('bad_messages')
      return
    }
    this.#bad = 0
    if (this.#waiting.length >= MOST_WAITING) this.#socket.pause()
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    for (let request = this.#waiting.shift(); request && this.isGood(); request = this.#waiting.shift()) {
      if (this.#isPaused && this.#waiting.length < MOST_WAITING) this.#socket.resume()
      await this.#answer(request)
    }
    this.#running = undefined
  }

  async #answer(request: Request): Promise<void> {
    try {
      await this.#parts.answer(this, request)
    } catch (error) {
      const problem = problemOf(error)
      logRefusal(this.origin.log, problem)
      this.send(errorMessage(request.id, problem))
      if (this.life.isSpent) this.close('bad_reauth')
      if (problem.code === 'too_many_requests' && this.#parts.rates.isDeaf(this.user)) this.close('flood')
    }
  }

  #failed(error: unknown): void {
    const problem = problemOf(error)
    logRefusal(this.origin.log, problem)
    this.close(problem.code === 'unavailable' ? 'overloaded' : 'fault')
  }

  #ended(): void {
    this.#waiting = []
    this.rooms.close()
    this.life.close()
  }
}
