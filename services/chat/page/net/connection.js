import { SUBPROTOCOL } from '../protocol.js'
import { Signal } from '../signal.js'
import { answerTo, REST, textOfRest } from './closes.js'
import { pauseAfter } from './pauses.js'
import { Refusal, Requests } from './requests.js'

/** @typedef {import('../protocol.js').Frame} Frame */
/** @typedef {import('../protocol.js').Hello} Hello */

/**
 * `at` is when the next try is, in milliseconds since 1970.
 *
 * @typedef {{ name: 'off' } | { name: 'connecting' } | { name: 'open' } | { name: 'waiting', at: number }
 *   | { name: 'resting', at: number, text: string } | { name: 'signed out', text: string }} State
 */

/** A connection that has lasted so many milliseconds was a good one: the next pause is a short one again. */
const GOOD = 10_000

/** Longest wait for the first frame, and for the answer to a ping, in milliseconds. */
const PATIENCE = 10_000

const OVER = 'Your session has ended. Sign in again.'

/** The socket to the chat: it comes back by itself, with a new ticket each time. */
export class Connection {
  state = /** @type {State} */ ({ name: 'off' })
  /** @type {Signal<State>} */
  changed = new Signal()
  /** @type {Signal<Hello>} */
  opened = new Signal()
  /** What the server says unasked. @type {Signal<Frame>} */
  told = new Signal()

  #requests = new Requests()
  /** @type {WebSocket | undefined} */
  #socket
  #tries = 0
  #wasOpen = false
  #openedAt = 0
  #heardAt = 0
  #heartbeat = 25_000
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  /** By which the server has said to come back, in milliseconds. @type {number | undefined} */
  #comeBack

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.session = session
    setInterval(() => this.#look(), 5000)
    addEventListener('online', () => this.tryNow())
  }

  /** Connects at once, unless it is connected or just about to be. */
  tryNow() {
    const { name } = this.state
    if (name === 'open') return this.#ping()
    if (name === 'connecting') return
    this.#connect()
  }

  /** Ends the connection for good. */
  stop() {
    this.#drop()
    this.#wasOpen = false
    this.#become({ name: 'off' })
  }

  /** Ends this connection and makes another one, as after a change of who is signed in. */
  again() {
    this.#drop()
    this.#connect()
  }

  /**
   * @param {string} type
   * @param {object} [members]
   * @returns {Promise<any>} the members of the answer. Throws a {@link Refusal}
   */
  async request(type, members = {}) {
    const socket = this.#socket
    if (this.state.name !== 'open' || !socket) throw new Refusal('offline', 'There is no connection now.')
    return this.#requests.send((frame) => socket.send(JSON.stringify(frame)), type, members)
  }

  async #connect() {
    clearTimeout(this.#timer)
    this.#become({ name: 'connecting' })
    const { status, code, body, retryAfter = 0 } = await this.session.ticket()
    // Somebody has signed out, or in, while this one waited.
    if (this.state.name !== 'connecting' || this.#socket) return
    if (status === 401) return this.#become({ name: 'signed out', text: this.#wasOpen ? OVER : '' })
    if (code !== undefined) return this.#wait(Math.max(pauseAfter(this.#tries), retryAfter * 1000))
    const url = new URL(`ws?ticket=${body['ticket']}`, document.baseURI)
    url.protocol = url.protocol.replace('http', 'ws')
    this.#listen(new WebSocket(url, [SUBPROTOCOL]))
  }

  /** @param {WebSocket} socket */
  #listen(socket) {
    this.#socket = socket
    this.#comeBack = undefined
    this.#timer = setTimeout(() => this.#lost(1006, ''), PATIENCE)
    socket.addEventListener('message', ({ data }) => socket === this.#socket && this.#take(JSON.parse(data)))
    socket.addEventListener('close', ({ code, reason }) => socket === this.#socket && this.#lost(code, reason))
  }

  /** @param {Frame} frame */
  #take(frame) {
    this.#heardAt = Date.now()
    if (frame.type === 'hello') return this.#greeted(/** @type {Hello & Frame} */ (frame))
    if (frame.type === 'ok' || (frame.type === 'error' && frame['id'] !== null)) return this.#requests.answer(frame)
    if (frame.type === 'closing') this.#comeBack = Number(frame['reconnect_after_ms'])
    this.told.emit(frame)
  }

  /** @param {Hello & Frame} hello */
  #greeted(hello) {
    clearTimeout(this.#timer)
    this.#wasOpen = true
    this.#openedAt = Date.now()
    this.#heartbeat = hello.heartbeat_ms
    this.#become({ name: 'open' })
    this.opened.emit(hello)
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    const wasGood = this.#openedAt > 0 && Date.now() - this.#openedAt > GOOD
    if (wasGood) this.#tries = 0
    const answer = answerTo(code)
    const comeBack = this.#comeBack
    this.#drop()
    if (answer === 'rest')
      return this.#become({ name: 'resting', at: Date.now() + REST, text: textOfRest(reason) }, REST)
    if (answer === 'sign in') return this.#become({ name: 'signed out', text: OVER })
    // An expired token says nothing against the service; but if the new one is not taken either, this waits as well.
    if (answer === 'renew' && wasGood) return void this.#connect()
    this.#wait(comeBack ?? pauseAfter(this.#tries))
  }

  /** @param {number} pause in milliseconds */
  #wait(pause) {
    this.#tries += 1
    this.#become({ name: 'waiting', at: Date.now() + pause }, pause)
  }

  /**
   * @param {State} state
   * @param {number} [pause] after which it connects, in milliseconds
   */
  #become(state, pause) {
    this.state = state
    if (pause !== undefined) this.#timer = setTimeout(() => this.#connect(), pause)
    this.changed.emit(state)
  }

  /** Gives the socket up without a wait for its end, which may be long over a dead line. */
  #drop() {
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = undefined
    this.#openedAt = 0
    this.#requests.fail()
    socket?.close(1000)
  }

  // Scripts see no ping frames, and a dead line says nothing: so it is asked when it was silent for long.
  #look() {
    if (this.state.name === 'open' && Date.now() - this.#heardAt > this.#heartbeat) this.#ping()
  }

  #ping() {
    const socket = this.#socket
    const timer = setTimeout(() => socket === this.#socket && this.#lost(1006, ''), PATIENCE)
    this.request('ping').then(
      () => clearTimeout(timer),
      () => clearTimeout(timer)
    )
  }
}
