// The other load generator: requests at fixed times, whether or not earlier ones were answered. A latency counts from
// the time at which its request was due, so that none is left out because the server was slow.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

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

process.once('message', async (/** @type {Job} */ { url, path, method = 'GET', tokens, bodies, rate, duration }) => {
  const agent = new http.Agent({ keepAlive: true })
  const statuses = {}
  let [errors, withoutRetryAfter] = [0, 0]
  const begun = performance.now()
  const shots = Array.from({ length: rate * duration }, async (_, i) => {
    const due = begun + (i * 1000) / rate
    await sleep(due - performance.now())
    const status = await send(i).catch(() => undefined)
    if (status === undefined) errors += 1
    else statuses[status] = (statuses[status] ?? 0) + 1
    return performance.now() - due
  })
  const latencies = (await Promise.all(shots)).sort((a, b) => a - b)
  const percentile = (/** @type {number} */ share) => latencies[Math.floor(latencies.length * share)]
  process.send?.({
    value: percentile(0.99),
    p50: percentile(0.5),
    p99: percentile(0.99),
    longest: latencies.at(-1),
    errors,
    withoutRetryAfter,
    statuses
  })
  agent.destroy()
  process.disconnect()

  /** @param {number} i @returns {Promise<number | undefined>} */
  function send(i) {
    return new Promise((resolve, reject) => {
      const headers = {
        ...(tokens && { authorization: `Bearer ${tokens[i % tokens.length]}` }),
        ...(bodies && { 'content-type': 'application/json' })
      }
      http
        .request(`${url}${path}`, { method, agent, headers }, (answer) => {
          if (answer.statusCode === 503 && !answer.headers['retry-after']) withoutRetryAfter += 1
          answer.resume().on('close', () => resolve(answer.statusCode))
        })
        .on('error', reject)
        .end(bodies?.[i % bodies.length])
    })
  }
})
