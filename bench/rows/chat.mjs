import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { root } from '../../scripts/command.mjs'
import { startOn } from '../cores.mjs'
import { interleaved, measureRival, startRival } from '../measure.mjs'
import { cpuSeconds } from '../memory.mjs'
import { accessTokens, createPeople } from '../people.mjs'
import { below } from '../table.mjs'

const IN_FLIGHT = 64
/** Sockets that send in turn: each may send 20 frames a second. */
const SENDERS = 1000
const ROOMS = [1, 20, 200]

/** Messages a second that are committed, beside bare INSERTs. */
export async function chatMessages({ pair, rounds, seconds, quick }) {
  const chat = await openChat(pair, quick ? 100 : SENDERS)
  const rows = []
  for (const count of ROOMS) {
    const rooms = await chat.makeRooms(count)
    const talkers = await chat.talk([])
    const inserts = { DATABASE_URL: chat.database, IN_FLIGHT: `${IN_FLIGHT}`, ROOMS: `${count}`, SECONDS: `${seconds}` }
    const found = await interleaved(
      {
        ours: () => talkers.run({ do: 'send', rooms, inFlight: IN_FLIGHT, duration: seconds }),
        inserts: () => measureRival('inserts', inserts)
      },
      { warm: quick ? 0 : 1, rounds }
    )
    await talkers.stop()
    rows.push({
      what: `messages by socket, ${count === 1 ? '1 room' : `${count} rooms`}, ${IN_FLIGHT} in flight`,
      unit: 'messages/s',
      ours: found.ours,
      beside: 'bare INSERTs',
      other: found.inserts
    })
  }
  await chat.stop()
  return rows
}

const LISTENERS = 100
const RATE = 100
/** What the rules, the table and the numbers may cost beside bare ws. */
const MOST_CPU = 2

/** CPU of the service while a message goes to a hundred sockets, beside bare ws. */
export async function chatFanOut({ pair, rounds, seconds, quick }) {
  const chat = await openChat(pair, LISTENERS)
  const rooms = await chat.makeRooms(1)
  const talkers = await chat.talk(rooms)
  const bare = await startRival('bare-ws')
  const plain = await talkersOf({ url: bare.url, tokens: chat.tokens, rooms })
  const listen = { do: 'listen', room: rooms[0], rate: quick ? 10 : RATE, duration: seconds }
  const cpu = async (/** @type {number | undefined} */ pid, /** @type {typeof talkers} */ who) => {
    const before = cpuSeconds(pid)
    await who.run(listen)
    return { value: (cpuSeconds(pid) - before) * 1000 }
  }
  const found = await interleaved(
    { ours: () => cpu(chat.pid, talkers), bare: () => cpu(bare.pid, plain) },
    { warm: 1, rounds }
  )
  await Promise.all([talkers.stop(), plain.stop()])
  await Promise.all([chat.stop(), bare.stop()])
  return [
    {
      what: `${RATE} messages a second to ${LISTENERS} sockets, ${seconds} s`,
      unit: 'ms of CPU',
      ours: found.ours,
      beside: 'bare ws',
      other: found.bare,
      most: MOST_CPU
    }
  ]
}

const MANY = 1000
const KILOBYTES = 20
const SLOWEST = 250

/** Memory of a socket with three rooms, and the time from sending to delivery at a thousand sockets. */
export async function chatSockets({ pair, seconds, quick }) {
  const count = quick ? 50 : MANY
  const chat = await openChat(pair, count * 2)
  const rooms = await chat.makeRooms(3)
  // The first ones fill what does not grow with sockets: compiled functions, pools, caches.
  const first = await chat.talk(rooms, chat.tokens.slice(0, count))
  await first.stop()
  const before = kilobytes(chat.pid)
  const talkers = await chat.talk(rooms, chat.tokens.slice(count))
  const after = kilobytes(chat.pid)
  const job = { do: 'listen', room: rooms[0], rate: 20, duration: seconds }
  await talkers.run({ ...job, duration: 1 })
  const { p50, p99 } = await talkers.run(job)
  await talkers.stop()
  await chat.stop()
  const what = `send to delivery, ${count} sockets, 20 messages a second`
  return [
    {
      what: `a socket with three rooms, of ${count}`,
      unit: 'kB resident',
      ours: [{ value: Math.max(0, after - before) / count }],
      ...below(KILOBYTES)
    },
    { what, unit: 'ms p50', ours: [{ value: p50 }], ...below(SLOWEST) },
    { what, unit: 'ms p99', ours: [{ value: p99 }], ...below(SLOWEST) }
  ]
}

/**
 * The chat with so many users, each with a token.
 *
 * @param {import('../pair.mjs').Pair} pair
 * @param {number} count
 */
async function openChat(pair, count) {
  const auth = await pair.startAuth(await createPeople(pair, 1))
  const database = await pair.createDatabase()
  execFileSync(process.execPath, [path.join(root, 'services/chat/dist/migrate.js')], {
    env: { DATABASE_URL: database },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const service = await pair.startChat(database, { MESSAGES_PER_MINUTE: '100000', SOCKETS_MAX: '100000' })
  const tokens = await accessTokens(pair, count)
  const owner = new pg.Client(database)
  await owner.connect()
  return {
    pid: service.pid,
    database,
    tokens,
    /** Rooms of which everybody is a member. @param {number} count */
    makeRooms: async (count) => {
      const ids = Array.from({ length: count }, () => randomUUID())
      const maker = randomUUID()
      await owner.query(
        "INSERT INTO rooms (id, name, visibility, created_by) SELECT id, 'Tea', 'public', $2 FROM unnest($1::uuid[]) id",
        [ids, maker]
      )
      await owner.query('INSERT INTO heads (room_id) SELECT unnest($1::uuid[])', [ids])
      await owner.query(
        `INSERT INTO members (room_id, user_id, username, role, since_seq)
         SELECT room, person, 'Ada', 'member', 0 FROM unnest($1::uuid[]) room, unnest($2::uuid[]) person`,
        [ids, tokens.map(subjectOf)]
      )
      await owner.query('VACUUM ANALYZE members')
      return ids
    },
    /** @param {string[]} rooms that each socket listens to @param {string[]} [own] */
    talk: (rooms, own = tokens) => talkersOf({ url: service.url, tokens: own, rooms }),
    stop: async () => {
      await owner.end()
      await Promise.all([service.stop(), auth.stop()])
    }
  }
}

/** A process with a socket for each token, open and subscribed. @param {Omit<import('../talkers.mjs').Opening, 'do'>} opening */
async function talkersOf(opening) {
  const { child, said, ended, stop } = startOn('load', fileURLToPath(new URL('../talkers.mjs', import.meta.url)))
  await said
  const run = (/** @type {object} */ job) =>
    Promise.race([
      new Promise((resolve) => {
        child.once('message', resolve)
        child.send(job)
      }),
      ended.then((code) => {
        throw new Error(`the sockets have ended with ${code}; --logs shows what the chat says`)
      })
    ])
  await run({ do: 'open', ...opening })
  return {
    run,
    stop: async () => {
      await run({ do: 'close' })
      await stop()
    }
  }
}

/** @param {string} token */
const subjectOf = (token) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub

/** @param {number | undefined} pid */
const kilobytes = (pid) => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }))
