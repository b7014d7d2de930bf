import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { interleaved, load } from '../measure.mjs'
import { megabytes } from '../memory.mjs'
import { accessTokens, createPeople } from '../people.mjs'
import { below } from '../table.mjs'

const ENTRIES = 1_000_000
/** Rows that one pass of the feed numbers. */
const PASS = 10_000
/** Megabytes of a million entries, and seconds until they are read. */
const MEMORY = 64
const COLD = 30
/** Seconds after which Node, idle, has given back what reading needed. */
const SETTLED = 30
/** Tokens of a round of new ones, as in the row greet-new. */
const TOKENS = 20_000

/** GET /greet with a million revoked entries of the feed, beside a feed without any, and no feed; and what a million costs. */
export async function greetFeed({ pair, rounds, seconds, quick }) {
  const entries = quick ? 20_000 : ENTRIES
  const token = randomBytes(33).toString('base64url')
  const feed = { REVOCATION_FEED: 'token', FEED_TOKEN: token }
  const full = await createPeople(pair, 1)
  await revoke(full, entries)
  const auth = await pair.startAuth(full, undefined, 'load', feed)
  const idle = await pair.startAuth(await createPeople(pair, 1), 0, 'load', feed)
  const follow = (/** @type {{ url: string }} */ { url }) => {
    const settings = { FEED_URL: `${url}/revocations`, FEED_TOKEN: token, FEED_WHEN_CUT: 'refuse' }
    return pair.startResource('server', [], settings)
  }
  const many = await follow(auth)
  const none = await follow(idle)
  const without = await pair.startResource()
  await sleep(quick ? 0 : SETTLED * 1000)
  const size = { value: megabytes(many.pid) - megabytes(none.pid) }
  const cold = { value: many.ready / 1000 }
  const services = { many, none, without }

  const seen = await accessTokens(pair, 50)
  const old = await interleaved(
    waysOf(services, (url) => () => load({ url, path: '/greet', tokens: seen, connections: 20, duration: seconds })),
    { warm: 1, rounds }
  )
  const batches = []
  for (let round = 0; round < 1 + rounds; round += 1) batches.push(await accessTokens(pair, TOKENS))
  const fresh = await interleaved(
    waysOf(services, (url) => {
      const left = [...batches]
      return () => load({ url, path: '/greet', tokens: left.shift(), connections: 20, amount: TOKENS })
    }),
    { warm: 1, rounds }
  )
  await Promise.all([many, none, without, auth, idle].map(({ stop }) => stop()))
  const told = entries.toLocaleString('en')
  return [
    ...rowsOf(old, `GET /greet, tokens seen before, ${told} entries`),
    ...rowsOf(fresh, `GET /greet, every token new, ${told} entries`),
    { what: `memory of ${told} entries`, unit: 'MB more', ours: [size], ...below(MEMORY) },
    { what: `start of the resource service with ${told} entries to read`, unit: 's', ours: [cold], ...below(COLD) }
  ]
}

/**
 * @template W
 * @param {Record<'many' | 'none' | 'without', { url: string }>} services
 * @param {(url: string) => W} way
 */
const waysOf = ({ many, none, without }, way) => ({
  many: way(many.url),
  none: way(none.url),
  without: way(without.url)
})

/** @param {Record<'many' | 'none' | 'without', import('../measure.mjs').Run[]>} found @param {string} what */
const rowsOf = ({ many, none, without }, what) => [
  { what, unit: 'requests/s', ours: many, beside: 'a feed without entries', other: none },
  { what, unit: 'requests/s', ours: many, beside: 'no feed', other: without }
]

/** Ends so many sessions, and numbers them as the feed does. @param {string} url @param {number} count */
async function revoke(url, count) {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const key = "rtrim(translate(encode(substr(sha256(n::text::bytea), 1, 16), 'base64'), '+/', '-_'), '=')"
    await client.query(
      `INSERT INTO revocations (kind, key) SELECT 'session', ${key} FROM generate_series(1, $1::int) AS n`,
      [count]
    )
    for (let left = count; left > 0; left -= PASS) await client.query('SELECT number_revocations($1)', [PASS])
    await client.query('VACUUM ANALYZE')
  } finally {
    await client.end()
  }
}
