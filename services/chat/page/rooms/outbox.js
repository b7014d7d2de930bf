import { lengthOf } from '../net/pauses.js'
import { Signal } from '../signal.js'

/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */

/**
 * A message of ours that is not in the log yet. `waiting`: for the connection, or for those before it. `sent`: it has its
 * number, and its event is on the way.
 *
 * @typedef {object} Unsent
 * @property {string} client_id the same in all tries, so that it is in the log once
 * @property {string} room
 * @property {string} text
 * @property {'waiting' | 'sending' | 'sent' | 'refused'} state
 * @property {string} [reason] why it was refused
 * @property {number} [seq]
 */

/** How long the pause is after the service could not take a message now, in milliseconds. */
const PAUSE = 2000

/** What is no refusal of this message: it is tried again. */
const PASSING = ['unavailable', 'internal_error']

/** The messages of ours that are on their way, one after the other. */
export class Outbox {
  /** @type {Unsent[]} */
  unsent = []
  /** Tells the room in which something has changed. @type {Signal<string>} */
  changed = new Signal()
  #isBusy = false

  /** @param {(type: string, members: object) => Promise<any>} request */
  constructor(request) {
    this.request = request
  }

  /**
   * @param {string} room
   * @param {string} text
   */
  add(room, text) {
    this.unsent.push({ client_id: crypto.randomUUID(), room, text, state: 'waiting' })
    this.changed.emit(room)
    this.flush()
  }

  /** @param {string} room */
  of(room) {
    return this.unsent.filter((message) => message.room === room)
  }

  /** Sends what waits, in its order, until the connection is lost. */
  async flush() {
    if (this.#isBusy) return
    this.#isBusy = true
    for (;;) {
      const message = this.unsent.find(({ state }) => state === 'waiting')
      if (!message || !(await this.#send(message))) break
    }
    this.#isBusy = false
  }

  /** @param {Unsent} message */
  retry(message) {
    message.state = 'waiting'
    this.changed.emit(message.room)
    this.flush()
  }

  /** @param {Unsent} message */
  discard(message) {
    this.unsent = this.unsent.filter((other) => other !== message)
    this.changed.emit(message.room)
  }

  /**
   * Takes out what is in the log by now.
   *
   * @param {string} room
   * @param {{ after: number | null, entries: readonly RoomEvent[] }} log
   * @param {string} me
   */
  settle(room, { after, entries }, me) {
    const own = new Set(entries.filter(({ actor }) => actor.user_id === me).map(({ client_id }) => client_id))
    for (const message of this.of(room)) {
      const isThere = own.has(message.client_id) || (message.seq !== undefined && message.seq <= (after ?? 0))
      if (isThere) this.discard(message)
    }
  }

  clear() {
    this.unsent = []
  }

  /**
   * @param {Unsent} message
   * @returns {Promise<boolean>} false: there is no more to be sent now
   */
  async #send(message) {
    const { client_id, room, text } = message
    this.#become(message, { state: 'sending' })
    try {
      const { seq } = await this.request('send', { room, client_id, text })
      this.#become(message, { state: 'sent', seq })
      return true
    } catch (error) {
      const { code, message: reason, retryAfter } = /** @type {import('../net/requests.js').Refusal} */ (error)
      if (code === 'offline' || PASSING.includes(code)) {
        this.#become(message, { state: 'waiting' })
        if (code !== 'offline') setTimeout(() => this.flush(), retryAfter ? retryAfter * 1000 : PAUSE)
        return false
      }
      const isTooMuch = code === 'too_many_requests'
      const told = isTooMuch ? `Too many messages at once. Try again in ${lengthOf(retryAfter ?? 1)}.` : reason
      this.#become(message, { state: 'refused', reason: told })
      return true
    }
  }

  /**
   * @param {Unsent} message
   * @param {Partial<Unsent>} change
   */
  #become(message, change) {
    Object.assign(message, change)
    this.changed.emit(message.room)
  }
}
