/** @typedef {import('../protocol.js').Frame} Frame */

/**
 * Why a request was refused: `code` is that of the protocol, or `offline` if the connection ended before the answer.
 */
export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {string} detail
   * @param {{ errors?: { field: string, message: string }[], retryAfter?: number }} [more] seconds
   */
  constructor(code, detail, { errors = [], retryAfter } = {}) {
    super(detail)
    this.code = code
    this.errors = errors
    this.retryAfter = retryAfter
  }
}

/** The requests on a socket that wait for their answer. */
export class Requests {
  #next = 1
  /** @type {Map<number, { done: (output: Frame) => void, failed: (refusal: Refusal) => void }>} */
  #waiting = new Map()

  /**
   * @param {(frame: object) => void} write
   * @param {string} type
   * @param {object} members
   * @returns {Promise<any>} the members of the answer
   */
  send(write, type, members) {
    const id = this.#next
    this.#next += 1
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed })
      write({ id, type, ...members })
    })
  }

  /**
   * Hands an answer to who asked.
   *
   * @param {Frame} frame `ok` or `error`
   */
  answer(frame) {
    const id = Number(frame['id'])
    const asked = this.#waiting.get(id)
    if (!asked) return
    this.#waiting.delete(id)
    if (frame.type === 'ok') return asked.done(frame)
    const { code, detail, errors, retry_after } = frame
    const more = {
      ...(Array.isArray(errors) && { errors }),
      ...(typeof retry_after === 'number' && { retryAfter: retry_after })
    }
    asked.failed(new Refusal(String(code), String(detail ?? code), more))
  }

  /** The connection is gone: nothing of this will be answered. */
  fail() {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { failed } of waiting) failed(new Refusal('offline', 'The connection was lost before the answer.'))
  }
}
