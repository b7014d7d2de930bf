// The other load generator: requests at a steady rate, whether or not earlier ones were answered, so that none is left out
// because the server was slow. Tests use it as well, and install nothing for it: it imports Node alone.
import http from 'node:http'
import { constants, setPriority } from 'node:os'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/**
 * @typedef {object} Job
 * @property {string} url
 * @property {string} path
 * @property {string} [method] default GET
 * @property {string[]} [tokens] each request shows the next one
 * @property {string[]} [bodies] as JSON; each request sends the next one
 * @property {number} rate requests a second
 * @property {number} duration seconds
 * @property {boolean} [background] gives way to other generators, whose times are what counts
 */

/**
 * @typedef {object} Outcome what became of the requests; times in milliseconds from sending to the end of the answer. How
 *   late a request was sent, because the generator had to wait for its core, is nothing that the server did.
 * @property {number} value the 99th percentile, as p99
 * @property {number} p50
 * @property {number} p99
 * @property {number} longest
 * @property {Record<number, number>} statuses how often each was answered
 * @property {number} errors requests without a whole answer
 * @property {number} withoutRetryAfter answers 503 that did not say when to come again
 */

process.once('message', async (/** @type {Job} */ job) => {
  const { url, path, method = 'GET', tokens, bodies, rate, duration, background = false } = job
  if (background) setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  const agent = new http.Agent({ keepAlive: true })
  /** @type {Record<number, number>} */
  const statuses = {}
  let [errors, withoutRetryAfter] = [0, 0]
  const begun = performance.now()
  /** @type {Promise<number>[]} */
  const shots = []
  for (let i = 0; i < rate * duration; i += 1) {
    const early = begun + (i * 1000) / rate - performance.now()
    // Answers are read between requests, also while these are late.
    await (early > 0 ? sleep(early) : nextTurn())
    shots.push(latencyOf(i))
  }
  const latencies = (await Promise.all(shots)).sort((a, b) => a - b)
  const { length } = latencies
  const percentile = (/** @type {number} */ share) => latencies[Math.min(length - 1, Math.floor(length * share))] ?? 0
  /** @type {Outcome} */
  const outcome = {
    value: percentile(0.99),
    p50: percentile(0.5),
    p99: percentile(0.99),
    longest: percentile(1),
    statuses,
    errors,
    withoutRetryAfter
  }
  process.send?.(outcome)
  agent.destroy()
  process.disconnect()

  /** @param {number} i */
  async function latencyOf(i) {
    const sent = performance.now()
    try {
      const status = await send(i)
      statuses[status] = (statuses[status] ?? 0) + 1
    } catch {
      errors += 1
    }
    return performance.now() - sent
  }

  /** @param {number} i @returns {Promise<number>} the status */
  function send(i) {
    return new Promise((resolve, reject) => {
      const headers = {
        ...(tokens && { authorization: `Bearer ${tokens[i % tokens.length]}` }),
        ...(bodies && { 'content-type': 'application/json' })
      }
      http
        .request(`${url}${path}`, { method, agent, headers }, (answer) => {
          const { statusCode = 0 } = answer
          if (statusCode === 503 && !answer.headers['retry-after']) withoutRetryAfter += 1
          answer
            .on('error', reject)
            .on('end', () => resolve(statusCode))
            .resume()
        })
        .on('error', reject)
        .end(bodies?.[i % bodies.length])
    })
  }
})
