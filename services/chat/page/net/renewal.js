import { Signal } from '../signal.js'
import { renewalLead } from './pauses.js'

/** How long the pause is after a renewal that failed, in milliseconds. */
const PAUSE = 3000

/**
 * Renews the token of a connection before its end: new cookies, a ticket, `reauth`. A page that slept through that time, as
 * on a closed laptop, does it when it wakes; if the server was faster, the connection comes back with a new token anyway.
 */
export class Renewal {
  /** When the token expires by the clock of this machine, in milliseconds; undefined: there is none. @type {number | undefined} */
  end
  /** @type {Signal<'renewed' | 'changed'>} */
  changed = new Signal()
  #due = Number.POSITIVE_INFINITY
  /** How far the clock of the server is ahead of this one. */
  #ahead = 0

  /** @param {import('./connection.js').Connection} connection */
  constructor(connection) {
    this.connection = connection
    connection.opened.on((hello) => this.#begin(hello.expires_at))
    setInterval(() => this.check(), 500)
    for (const event of ['focus', 'online']) addEventListener(event, () => this.check())
    document.addEventListener('visibilitychange', () => this.check())
  }

  /** Renews, if it is time. */
  check() {
    if (this.connection.state.name !== 'open' || Date.now() < this.#due) return
    this.#due = Number.POSITIVE_INFINITY
    this.#renew().catch(() => {
      this.#due = Date.now() + PAUSE
    })
  }

  /** @param {string} expiresAt */
  async #begin(expiresAt) {
    this.#set(expiresAt)
    const { now } = await this.connection.request('ping')
    this.#ahead = Date.parse(now) - Date.now()
    this.#set(expiresAt)
  }

  /** @param {string} expiresAt */
  #set(expiresAt) {
    this.end = Date.parse(expiresAt) - this.#ahead
    this.#due = this.end - renewalLead(this.end - Date.now())
    this.changed.emit('changed')
  }

  async #renew() {
    const { session } = this.connection
    const renewed = await session.renew()
    if (renewed.status === 401) return this.connection.again()
    if (renewed.code !== undefined) throw new Error(renewed.text)
    const { code, text, body } = await session.ticket()
    if (code !== undefined) throw new Error(text)
    const { expires_at } = await this.connection.request('reauth', { ticket: body['ticket'] }).catch((refusal) => {
      // Another user has signed in, in another tab.
      if (refusal.code === 'invalid_token') this.connection.again()
      throw refusal
    })
    this.#set(expires_at)
    this.changed.emit('renewed')
  }
}
