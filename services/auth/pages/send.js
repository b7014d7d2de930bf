/**
 * What a request came to: `code` is that of the problem, `unreachable` if there was no answer, or nothing if it
 * succeeded. `text` is for people. `errors` are the faults of fields.
 *
 * @typedef {{ code?: string, text: string, errors: { field: string, message: string }[] }} Outcome
 */

/**
 * Sends a POST to the auth service, which also serves the pages: its paths are beside theirs.
 *
 * @param {string} path without a slash before it
 * @param {Record<string, string>} [body]
 * @returns {Promise<Outcome>}
 */
export async function post(path, body) {
  const json = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  /** @type {Response} */
  let response
  try {
    response = await fetch(path, { method: 'POST', ...(body && json) })
  } catch {
    return { code: 'unreachable', text: 'There was no answer. Are you online? Try again.', errors: [] }
  }
  if (response.ok) return { text: '', errors: [] }
  const problem = await response.json().catch(() => ({}))
  return {
    code: String(problem.code ?? response.status),
    text: textOf(response, problem),
    errors: Array.isArray(problem.errors) ? problem.errors : []
  }
}

/**
 * @param {Response} response
 * @param {{ detail?: string, request_id?: string }} problem
 */
function textOf({ status, headers }, { detail = 'That did not work.', request_id: id }) {
  const wait = headers.get('Retry-After')
  if (status === 429) return `Too many tries. Try again in ${lengthOf(Number(wait))}.`
  if (status === 503) return `The service is busy. Try again in ${lengthOf(Number(wait))}.`
  if (status >= 500) return `Something went wrong here. Try again later, or report it with the number ${id}.`
  return detail
}

/** @param {number} seconds */
function lengthOf(seconds) {
  if (!(seconds >= 2)) return 'a second'
  if (seconds < 120) return `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
