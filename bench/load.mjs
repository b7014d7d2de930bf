// The load generator, a process of its own: as many requests as there can be. Takes a job as a message, and sends what
// it measured.
import os from 'node:os'
import autocannon from 'autocannon'

/**
 * @typedef {object} Job
 * @property {string} url
 * @property {string} path
 * @property {string} [method] default GET
 * @property {string[]} [tokens] every connection shows its own share of them in turn
 * @property {boolean} [chain] in place of a token, the refresh token that it was answered with is shown next time
 * @property {Record<string, string>} [form] with chain: the token is a field of a form beside these (RFC 6749, section 6)
 * @property {string[]} [cookies] likewise, in place of tokens
 * @property {string[]} [bodies] as JSON; every connection sends its own share of them in turn
 * @property {number} connections each with one request at a time
 * @property {number} [duration] seconds
 * @property {number} [amount] of requests, all together, in place of a duration
 * @property {Record<'server' | 'load', number[]>} cores
 */

process.once('message', async (/** @type {Job} */ job) => {
  const { url, path, method = 'GET', tokens, chain, form, cookies, bodies } = job
  const { connections, duration = 1, amount, cores } = job
  let clients = 0
  const instance = autocannon({
    url,
    connections,
    timeout: 30,
    ...(amount ? { amount } : { duration }),
    setupClient: (client) => {
      client.setRequests(requestsOf(clients))
      clients += 1
    }
  })
  const statuses = {}
  let [answers, first, last] = [0, 0, 0]
  let before = os.cpus()
  let busy
  instance.on('response', (_client, status) => {
    last = performance.now()
    if (answers === 0) [first, before] = [last, os.cpus()]
    answers += 1
    // With an amount, autocannon ends a second after the last answer.
    if (answers === amount) busy = busyness(before, os.cpus())
    statuses[status] = (statuses[status] ?? 0) + 1
  })
  const result = await instance
  process.send?.({
    value: amount ? (amount * 1000) / (last - first) : result.requests.total / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    longest: result.latency.max,
    errors: result.errors,
    statuses,
    busy: busy ?? busyness(before, os.cpus())
  })
  process.disconnect()

  /** @param {number} own which connection */
  function requestsOf(own) {
    const mine = (/** @type {string[]} */ all) => all.filter((_, i) => i % connections === own % all.length)
    const request = { method, path }
    if (bodies) {
      const headers = { 'content-type': 'application/json' }
      return mine(bodies).map((body) => ({ ...request, headers, body }))
    }
    if (cookies) return mine(cookies).map((cookie) => ({ ...request, headers: { cookie } }))
    return mine(tokens ?? []).map((token) =>
      chain ? inChain(request, token, form) : { ...request, headers: bearer(token) }
    )
  }

  /** @param {Record<string, number[]>} lists */
  function busyness(earlier, later) {
    return Object.fromEntries(Object.entries(cores).map(([name, list]) => [name, busyShare(list, earlier, later)]))
  }
})

const bearer = (/** @type {string} */ token) => ({ authorization: `Bearer ${token}` })

/** @param {object} request @param {string} begin the first token @param {Job['form']} form */
function inChain(request, begin, form) {
  let token = begin
  const shown = () =>
    form
      ? {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: String(new URLSearchParams({ ...form, refresh_token: token }))
        }
      : { headers: bearer(token) }
  return {
    ...request,
    setupRequest: (/** @type {object} */ next) => ({ ...next, ...shown() }),
    onResponse: (/** @type {number} */ status, /** @type {string} */ body) => {
      if (status === 200) token = JSON.parse(body).refresh_token
    }
  }
}

/**
 * The share of the time in which these cores were not idle.
 *
 * @param {number[]} list
 * @param {os.CpuInfo[]} before
 * @param {os.CpuInfo[]} after
 */
function busyShare(list, before, after) {
  const spent = (/** @type {(times: os.CpuInfo['times']) => number} */ of) =>
    list.reduce((sum, core) => sum + of(after[core].times) - of(before[core].times), 0)
  const all = spent((times) => Object.values(times).reduce((sum, time) => sum + time, 0))
  return 1 - spent(({ idle }) => idle) / all
}
