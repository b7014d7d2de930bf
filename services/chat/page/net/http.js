import { lengthOf } from './pauses.js'

/**
 * What a request came to: `code` is that of the problem, `unreachable` if there was no answer, or nothing if it succeeded.
 * `text` is for people, `errors` are the faults of fields, `retryAfter` is in seconds.
 *
 * @typedef {object} Outcome
 * @property {number} status 0: no answer
 * @property {string} [code]
 * @property {string} text
 * @property {{ field: string, message: string }[]} errors
 * @property {number} [retryAfter]
 * @property {Record<string, unknown>} body
 */

/** After so many milliseconds without an answer a request has failed. */
const LONGEST = 10_000

/**
 * Sends a POST; cookies go with it, to the auth service too.
 *
 * @param {string | URL} url
 * @param {object} [body]
 * @returns {Promise<Outcome>}
 */
export async function post(url, body) {
  const json = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  const signal = AbortSignal.timeout(LONGEST)
  try {
    const response = await fetch(url, { method: 'POST', credentials: 'include', signal, ...(body && json) })
    const answer = await response.json().catch(() => ({}))
    return response.ok ? { status: response.status, text: '', errors: [], body: answer } : failure(response, answer)
  } catch {
    return {
      status: 0,
      code: 'unreachable',
      text: 'There was no answer. Are you online? Try again.',
      errors: [],
      body: {}
    }
  }
}

/**
 * @param {Response} response
 * @param {{ code?: string, detail?: string, errors?: unknown, request_id?: string }} problem
 * @returns {Outcome}
 */
function failure({ status, headers }, problem) {
  const wait = Number(headers.get('Retry-After') ?? Number.NaN)
  return {
    status,
    code: problem.code ?? String(status),
    text: textOf(status, problem, wait),
    errors: Array.isArray(problem.errors) ? problem.errors : [],
    ...(wait >= 0 && { retryAfter: wait }),
    body: {}
  }
}

/**
 * @param {number} status
 * @param {{ detail?: string, request_id?: string }} problem
 * @param {number} wait
 */
function textOf(status, { detail = 'That did not work.', request_id: id }, wait) {
  if (status === 429) return `Too many tries. Try again in ${lengthOf(wait)}.`
  if (status === 503) return `The service is busy. Try again in ${lengthOf(wait)}.`
  if (status >= 500)
    return `Something went wrong here. Try again later${id ? `, or report it with the number ${id}` : ''}.`
  return detail
}
