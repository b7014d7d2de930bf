import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { revocationKey } from '../../packages/tokens/dist/revocations.js'
import { startOn } from '../cores.mjs'
import { AUDIENCE } from '../pair.mjs'
import { accessTokens, createPeople } from '../people.mjs'
import { below } from '../table.mjs'

const RECEIVERS = [1, 10, 100]
/** Changes a second beside what is measured. */
const CHANGES = 1000
/** Changes that are measured, and the longest pause between two of them, in milliseconds. */
const MEASURED = 200
const PAUSE = 100
/** Until a resource service refuses, in milliseconds. */
const LONGEST = 1000
const END = "INSERT INTO revocations (kind, key) VALUES ('session', $1)"

/** From the commit of the end of a session until the verifiers of many services refuse its token. */
export async function revocation({ pair, quick }) {
  const database = await createPeople(pair, 1)
  const token = randomBytes(33).toString('base64url')
  const auth = await pair.startAuth(database, undefined, 'server', { REVOCATION_FEED: 'token', FEED_TOKEN: token })
  const pool = new pg.Pool({ connectionString: database, max: 10 })
  const { issuer, jwksUrl } = pair
  const amount = quick ? 5 : MEASURED
  const rows = []
  try {
    for (const count of RECEIVERS) {
      for (const changes of [0, CHANGES]) {
        const tokens = await accessTokens(pair, amount)
        const asked = { issuer, audience: AUDIENCE, jwksUrl, url: auth.url, token, count, tokens }
        const receivers = startReceivers(asked)
        await receivers.reading
        const stop = changeSteadily(pool, changes)
        await sleep(500)
        const found = await measure(pool, receivers, { count, tokens })
        await stop()
        await receivers.stop()
        rows.push(...rowsOf(found, `${count} receivers, ${changes ? `${changes} changes a second` : 'idle'}`))
        // The next ones have nothing to read first.
        await pool.query('DELETE FROM revocations WHERE seq < (SELECT seq FROM feed_head)')
      }
    }
  } finally {
    await pool.end()
    await auth.stop()
  }
  return rows
}

/** @param {import('../receivers.mjs').Asked} asked */
function startReceivers(asked) {
  /** When each verifier refused the token of this number. @type {number[][]} */
  const refused = asked.tokens.map(() => [])
  const script = fileURLToPath(new URL('../receivers.mjs', import.meta.url))
  const { child, said, stop } = startOn('load', script, { input: asked })
  child.on('message', (/** @type {{ number: number, at: number }} */ { number, at }) => refused[number]?.push(at))
  return { refused, reading: said, stop }
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
 * Milliseconds from each commit until each verifier refuses the token.
 *
 * @param {pg.Pool} pool
 * @param {ReturnType<typeof startReceivers>} receivers
 * @param {{ count: number, tokens: string[] }} measured
 */
async function measure(pool, { refused }, { count, tokens }) {
  const times = []
  for (const [number, token] of tokens.entries()) {
    const seen = refused[number] ?? []
    await pool.query(END, [revocationKey(sidOf(token))])
    const committed = performance.timeOrigin + performance.now()
    const end = performance.now() + 30_000
    while (seen.length < count) {
      if (performance.now() > end) throw new Error(`${seen.length} of ${count} verifiers refuse a token after 30 s`)
      await sleep(2)
    }
    times.push(...seen.map((at) => Math.max(0, at - committed)))
    await sleep(Math.random() * PAUSE)
  }
  return times.sort((a, b) => a - b)
}

/** @param {string} token */
const sidOf = (token) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid

/** @param {number[]} times @param {string} what */
function rowsOf(times, what) {
  const at = (/** @type {number} */ share) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return [
    { what: `commit to refusal: ${what}`, unit: 'ms p50', ours: [{ value: at(0.5) }], ...below(250) },
    { what: `commit to refusal: ${what}`, unit: 'ms p99', ours: [{ value: at(0.99) }], ...below(LONGEST) }
  ]
}
