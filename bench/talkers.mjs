// A process with many sockets of the chat, each of another user. Takes one job after the other as messages, and sends what
// it measured.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'

/**
 * @typedef {object} Opening
 * @property {'open'} do
 * @property {string} url of the service
 * @property {string[]} tokens one for each socket
 * @property {string[]} rooms all of them are subscribed to, by each socket
 */

/**
 * @typedef {object} Sending as many messages as there can be
 * @property {'send'} do
 * @property {string[]} rooms a socket sends to its own share of them
 * @property {number} inFlight messages at a time
 * @property {number} duration seconds
 */

/**
 * @typedef {object} Listening messages at fixed times, to the first of the rooms
 * @property {'listen'} do
 * @property {string} room
 * @property {number} rate messages a second
 * @property {number} duration seconds
 */

/** @type {Talker[]} */
let talkers = []

/** One socket. */
class Talker {
  /** @param {WebSocket} socket */
  constructor(socket) {
    this.socket = socket
    /** @type {Map<number, (answer: { type: string, code?: string }) => void>} */
    this.waiting = new Map()
    this.asked = 0
    /** @type {(events: { seq: number, text: string }[]) => void} */
    this.heard = () => {}
    socket.on('message', (data) => {
      const message = JSON.parse(String(data))
      if (message.type === 'events') this.heard(message.events)
      this.waiting.get(message.id)?.(message)
      this.waiting.delete(message.id)
    })
    socket.on('close', (code, reason) => {
      if (code !== 1000) fail(new Error(`a socket was closed: ${code} ${reason}`))
    })
  }

  /** @param {object} request @returns {Promise<object>} */
  ask(request) {
    this.asked += 1
    const id = this.asked
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (answer) => {
        if (answer.type === 'ok') resolve(answer)
        else reject(new Error(`${JSON.stringify(request)} was answered: ${JSON.stringify(answer)}`))
      })
      this.socket.send(JSON.stringify({ id, ...request }))
    })
  }
}

/** @param {string} url @param {string} token @returns {Promise<Talker>} */
function connect(url, token) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${token}` } })
    socket.once('error', reject)
    socket.once('open', () => {
      socket.off('error', reject)
      resolve(new Talker(socket))
    })
  })
}

/** How many handshakes are under way at a time. */
const AT_ONCE = 20

const JOBS = {
  /** @param {Opening} job */
  open: async ({ url, tokens, rooms }) => {
    for (let first = 0; first < tokens.length; first += AT_ONCE) {
      const some = await Promise.all(tokens.slice(first, first + AT_ONCE).map((token) => connect(url, token)))
      await Promise.all(some.flatMap((talker) => rooms.map((room) => talker.ask({ type: 'subscribe', room }))))
      talkers.push(...some)
    }
    return { value: talkers.length }
  },

  /** @param {Sending} job */
  send: async ({ rooms, inFlight, duration }) => {
    const begun = performance.now()
    const end = begun + duration * 1000
    let [turn, sent] = [0, 0]
    const work = async () => {
      while (performance.now() < end) {
        turn += 1
        const number = turn % talkers.length
        const room = rooms[number % rooms.length]
        await talkers[number]?.ask({ type: 'send', room, client_id: randomUUID(), text: 'Good morning, everybody.' })
        sent += 1
      }
    }
    await Promise.all(Array.from({ length: inFlight }, work))
    return { value: (sent * 1000) / (performance.now() - begun) }
  },

  /** @param {Listening} job */
  listen: async ({ room, rate, duration }) => {
    /** @type {number[]} */
    const times = []
    const mark = randomUUID()
    for (const talker of talkers) {
      talker.heard = (events) => {
        for (const { text } of events) {
          const [of, at] = text.split(' ')
          if (of === mark) times.push(performance.now() - Number(at))
        }
      }
    }
    const amount = rate * duration
    const begun = performance.now()
    for (let n = 0; n < amount; n += 1) {
      await sleep(Math.max(0, begun + (n * 1000) / rate - performance.now()))
      talkers[n % talkers.length]
        ?.ask({ type: 'send', room, client_id: randomUUID(), text: `${mark} ${performance.now()}` })
        .catch(fail)
    }
    const patience = performance.now() + 30_000
    while (times.length < amount * talkers.length) {
      if (performance.now() > patience) throw new Error(`${times.length} of ${amount * talkers.length} deliveries came`)
      await sleep(20)
    }
    times.sort((a, b) => a - b)
    return { p50: at(times, 0.5), p99: at(times, 0.99), longest: at(times, 1) }
  },

  close: async () => {
    const closed = talkers.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve)))
    for (const { socket } of talkers) socket.close(1000)
    await Promise.all(closed)
    talkers = []
    return {}
  }
}

/** @param {number[]} times in order @param {number} share */
const at = (times, share) => times[Math.min(times.length - 1, Math.floor(times.length * share))]

/** @param {unknown} error */
function fail(error) {
  console.error(error)
  process.exit(1)
}

process.on('message', (/** @type {{ do: keyof typeof JOBS }} */ job) => {
  JOBS[job.do](/** @type {any} */ (job)).then((found) => process.send?.(found), fail)
})
process.send?.('ready')
