import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startOn } from '../cores.mjs'
import { createPeople } from '../people.mjs'
import { below } from '../table.mjs'

const RECEIVERS = [1, 10, 100]
/** Changes a second beside what is measured. */
const CHANGES = 1000
/** Changes that are measured, and the longest pause between two of them, in milliseconds. */
const MEASURED = 200
const PAUSE = 100
/** Until a resource service refuses, in milliseconds. */
const LONGEST = 1000
const MARK = 'bench-'
const END = "INSERT INTO revocations (kind, key) VALUES ('session', $1)"

/** From the commit of the end of a session until a receiver has checked the answer that tells it. */
export async function revocation({ pair, quick }) {
  const database = await createPeople(pair, 1)
  const token = randomBytes(33).toString('base64url')
  const auth = await pair.startAuth(database, undefined, 'server', { REVOCATION_FEED: 'token', FEED_TOKEN: token })
  const pool = new pg.Pool({ connectionString: database, max: 10 })
  const rows = []
  try {
    for (const count of RECEIVERS) {
      const receivers = startReceivers({ url: auth.url, token, count, mark: MARK })
      await receivers.reading
      for (const changes of [0, CHANGES]) {
        const stop = changeSteadily(pool, changes)
        await sleep(500)
        const found = await measure(pool, receivers, { count, amount: quick ? 5 : MEASURED })
        await stop()
        rows.push(...rowsOf(found, `${count} receivers, ${changes ? `${changes} changes a second` : 'idle'}`))
      }
      await receivers.stop()
      // The next ones have nothing to read first.
      await pool.query('DELETE FROM revocations WHERE seq < (SELECT seq FROM feed_head)')
    }
  } finally {
    await pool.end()
    await auth.stop()
  }
  return rows
}

/** @param {{ url: string, token: string, count: number, mark: string }} asked */
function startReceivers(asked) {
  /** @type {Map<string, number[]>} */
  const known = new Map()
  const script = fileURLToPath(new URL('../receivers.mjs', import.meta.url))
  const { child, said, stop } = startOn('load', script, { input: asked })
  child.on('message', (/** @type {{ key: string, at: number }} */ { key, at }) => known.get(key)?.push(at))
  return { known, reading: said, stop }
}

/** @param {pg.Pool} pool @param {number} rate */
function changeSteadily(pool, rate) {
  let isOver = rate === 0
  const begun = performance.now()
  const write = async () => {
    for (let done = 0; !isOver; ) {
      const due = Math.floor(((performance.now() - begun) * rate) / 1000) - done
      done += due
      await Promise.all(Array.from({ length: due }, () => pool.query(END, [randomBytes(16).toString('base64url')])))
      await sleep(5)
    }
  }
  const writing = write()
  return async () => {
    isOver = true
    await writing
  }
}

/**
 * Milliseconds from each commit until each receiver knows it.
 *
 * @param {pg.Pool} pool
 * @param {ReturnType<typeof startReceivers>} receivers
 * @param {{ count: number, amount: number }} measured
 */
async function measure(pool, { known }, { count, amount }) {
  const times = []
  for (let n = 0; n < amount; n += 1) {
    const key = MARK + randomBytes(8).toString('hex')
    /** @type {number[]} */
    const seen = []
    known.set(key, seen)
    await pool.query(END, [key])
    const committed = performance.timeOrigin + performance.now()
    const end = performance.now() + 30_000
    while (seen.length < count) {
      if (performance.now() > end) throw new Error(`${seen.length} of ${count} receivers know a revocation after 30 s`)
      await sleep(2)
    }
    known.delete(key)
    times.push(...seen.map((at) => Math.max(0, at - committed)))
    await sleep(Math.random() * PAUSE)
  }
  return times.sort((a, b) => a - b)
}

/** @param {number[]} times @param {string} what */
function rowsOf(times, what) {
  const at = (/** @type {number} */ share) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return [
    { what: `commit to refusal: ${what}`, unit: 'ms p50', ours: [{ value: at(0.5) }], ...below(250) },
    { what: `commit to refusal: ${what}`, unit: 'ms p99', ours: [{ value: at(0.99) }], ...below(LONGEST) }
  ]
}
