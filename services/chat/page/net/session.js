import { post } from './http.js'

/** @typedef {import('./http.js').Outcome} Outcome */

/**
 * The session of this browser at the auth service. Both tokens are in cookies that no script can read; what the page holds
 * is a ticket, which is good once and for seconds.
 */
export class Session {
  /** @type {Promise<Outcome> | undefined} */
  #renewal

  /** @param {string} authUrl where the auth service is */
  constructor(authUrl) {
    this.base = authUrl.endsWith('/') ? authUrl : `${authUrl}/`
  }

  /** @param {{ email: string, password: string }} entered */
  signIn({ email, password }) {
    return this.#post('signin', { email, password })
  }

  /** @param {{ email: string, username: string, password: string }} entered */
  signUp({ email, username, password }) {
    return this.#post('signup', { email, username, password })
  }

  signOut() {
    return this.#post('logout')
  }

  /**
   * Renews the cookies; calls that meet share one request. That it is too early counts as done: another tab was first.
   *
   * @returns {Promise<Outcome>}
   */
  renew() {
    this.#renewal ??= this.#post('refresh').then((outcome) => {
      this.#renewal = undefined
      const { code: _code, ...rest } = outcome
      return outcome.code === 'renewal_too_early' ? rest : outcome
    })
    return this.#renewal
  }

  /**
   * A ticket for the socket. If the access cookie is no longer good, the cookies are renewed first.
   *
   * @returns {Promise<Outcome>} with `ticket` in its body; status 401: somebody has to sign in
   */
  async ticket() {
    const first = await post('tickets')
    if (first.status !== 401) return first
    const renewed = await this.renew()
    if (renewed.code !== undefined) return renewed
    return post('tickets')
  }

  /**
   * @param {string} path
   * @param {object} [body]
   */
  #post(path, body) {
    return post(new URL(path, this.base), body)
  }
}
