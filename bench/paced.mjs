// The other load generator: requests at fixed times, whether or not earlier ones were answered. A latency counts from
// the time at which its request was due, so that none is left out because the server was slow. Tests use it as well, and
// install nothing for it: it imports Node alone.
import http from 'node:http'
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
 */

/**
 * @typedef {object} Outcome what became of the requests; times in milliseconds
 * @property {number} value the 99th percentile, as p99
 * @property {number} p50
 * @property {number} p99
 * @property {number} longest
 * @property {number} slowest the longest since a request was sent: how late it was sent does not count
 * @property {Record<number, number>} statuses how often each was answered
 * @property {number} errors requests without a whole answer
 * @property {number} withoutRetryAfter answers 503 that did not say when to come again
 */

process.once('message', async (/** @type {Job} */ { url, path, method = 'GET', tokens, bodies, rate, duration }) => {
  const agent = new http.Agent({ keepAlive: true })
  /** @type {Record<number, number>} */
  const statuses = {}
  let [slowest, errors, withoutRetryAfter] = [0, 0, 0]
  const begun = performance.now()
  /** @type {Promise<number>[]} */
  const shots = []
  for (let i = 0; i < rate * duration; i += 1) {
    const due = begun + (i * 1000) / rate
    const early = due - performance.now()
    // Answers are read between requests, also while these are late.
    await (early > 0 ? sleep(early) : nextTurn())
    shots.push(latencyOf(i, due))
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
    slowest,
    statuses,
    errors,
    withoutRetryAfter
  }
  process.send?.(outcome)
  agent.destroy()
  process.disconnect()

  /** @param {number} i @param {number} due */
  async function latencyOf(i, due) {
    const sent = performance.now()
    try {
      const status = await send(i)
      statuses[status] = (statuses[status] ?? 0) + 1
    } catch {
      errors += 1
    }
    const over = performance.now()
    slowest = Math.max(slowest, over - sent)
    return over - due
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
