// The load generator, a process of its own: takes a job as a message, and sends what it measured.
import autocannon from 'autocannon'

/**
 * @typedef {object} Job
 * @property {string} url
 * @property {string} path
 * @property {string} [method] default GET
 * @property {string[]} [tokens] each request shows the next one, every connection its own share of them
 * @property {boolean} [chain] each connection shows the refresh token that its last answer gave
 * @property {string[]} [bodies] every connection has its own, as JSON
 * @property {number} connections
 * @property {number} [duration] seconds
 * @property {number} [amount] of requests, all together
 * @property {number} [rate] of requests a second, all together; default as many as there can be
 */

process.once('message', async (/** @type {Job} */ job) => {
  const { url, path, method = 'GET', tokens, chain, bodies, connections, duration = 5, amount, rate } = job
  let clients = 0
  const instance = autocannon({
    url,
    connections,
    ...(amount ? { amount } : { duration }),
    ...(rate && { overallRate: rate }),
    requests: [{ method, path }],
    setupClient: (client) => {
      const own = clients
      clients += 1
      client.setRequests(requestsOf(own))
    }
  })
  const statuses = {}
  const withoutRetryAfter = { count: 0 }
  // autocannon notices the last answer of an amount only with its next tick, a second later.
  let [first, last] = [0, 0]
  instance.on('response', (_client, status) => {
    last = performance.now()
    first ||= last
    statuses[status] = (statuses[status] ?? 0) + 1
  })
  const result = await instance
  process.send?.({
    rate: amount ? (amount * 1000) / (last - first) : result.requests.total / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    longest: result.latency.max,
    errors: result.errors,
    statuses,
    withoutRetryAfter: withoutRetryAfter.count
  })
  process.disconnect()

  /** @param {number} own which connection */
  function requestsOf(own) {
    if (chain && tokens) {
      let token = tokens[own % tokens.length]
      return [
        {
          method,
          path,
          setupRequest: (request) => ({
            ...request,
            headers: { ...request.headers, authorization: `Bearer ${token}` }
          }),
          onResponse: (status, body) => {
            if (status === 200) token = JSON.parse(body).refresh_token
          }
        }
      ]
    }
    if (bodies) {
      const onResponse = (status, _body, _context, headers) => {
        if (status === 503 && !('retry-after' in lower(headers))) withoutRetryAfter.count += 1
      }
      return [
        { method, path, headers: { 'content-type': 'application/json' }, body: bodies[own % bodies.length], onResponse }
      ]
    }
    const share = tokens ? tokens.filter((_, i) => i % connections === own % connections) : [undefined]
    return share.map((token) => ({ method, path, ...(token && { headers: { authorization: `Bearer ${token}` } }) }))
  }
})

const lower = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
