// A flood: so many requests in flight, each followed by the next one at once, until it is told to stop. A process of its
// own, so that whoever measures beside it is late for nothing of this. It imports Node alone.
import http from 'node:http'

/**
 * @typedef {object} Shot one request of the flood
 * @property {string} line as in `POST /login`
 * @property {string} from the client address, as a proxy would tell it
 * @property {object} body sent as JSON
 * @property {string} [token]
 */

/**
 * @typedef {object} Flood
 * @property {string} url
 * @property {Shot[]} shots sent in turn, over and over
 * @property {number} inFlight
 */

/** @type {Record<number, number>} how often each status was answered; 0 is no answer */
const statuses = {}
let over = false

process.on('message', async (/** @type {Flood | 'stop'} */ message) => {
  if (message === 'stop') {
    over = true
    return
  }
  const { url, shots, inFlight } = message
  const agent = new http.Agent({ keepAlive: true })
  let sent = 0
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (!over) {
        const shot = shots[sent % shots.length]
        sent += 1
        const status = shot ? await send(url, agent, shot) : 0
        if (Object.keys(statuses).length === 0) process.send?.('begun')
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    })
  )
  agent.destroy()
  process.send?.(statuses)
  process.disconnect()
})

/**
 * @param {string} url
 * @param {http.Agent} agent
 * @param {Shot} shot
 * @returns {Promise<number>}
 */
function send(url, agent, { line, from, body, token }) {
  const [method, path] = line.split(' ')
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(JSON.stringify(body)),
    'x-forwarded-for': from,
    ...(token && { authorization: `Bearer ${token}` })
  }
  return new Promise((resolve) => {
    const request = http.request(`${url}${path}`, { method, agent, headers }, (answer) => {
      answer.on('end', () => resolve(answer.statusCode ?? 0)).resume()
    })
    request.on('error', () => resolve(0)).end(JSON.stringify(body))
  })
}
