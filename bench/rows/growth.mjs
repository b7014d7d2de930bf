import bcrypt from 'bcryptjs'
import pg from 'pg'
import { load } from '../measure.mjs'
import { PASSWORD } from '../pair.mjs'
import { loginBodies } from '../people.mjs'

const SIZES = [1000, 1_000_000]

/** Refresh and login with a thousand users, and with a million. */
export async function growth({ pair, seconds }) {
  const [small, large] = [await measure(pair, SIZES[0], seconds), await measure(pair, SIZES[1], seconds)]
  return [
    {
      what: '1,000 → 1,000,000 users: refresh',
      unit: 'ms p50',
      ours: large.refresh,
      beside: '1,000',
      other: small.refresh,
      most: 1.2
    },
    {
      what: '1,000 → 1,000,000 users: login',
      unit: 'ms p50',
      ours: large.login,
      beside: '1,000',
      other: small.login,
      most: 1.2
    }
  ]
}

/**
 * @param {import('../pair.mjs').Pair} pair
 * @param {number} size
 * @param {number} seconds
 */
async function measure(pair, size, seconds) {
  const DATABASE_URL = await pair.createDatabase()
  await seed(DATABASE_URL, size)
  const auth = await pair.startAuth({ DATABASE_URL })
  try {
    const people = Array.from({ length: 16 }, (_, i) => ({
      email: `person${Math.floor((i * size) / 16)}@bench.example.com`
    }))
    const sessions = await logInAll(auth.url, people)
    const tokens = sessions.map(({ refresh_token }) => refresh_token)
    const job = { url: auth.url, method: 'POST', duration: 2 * seconds }
    const refresh = await load({ ...job, path: '/refresh-token', tokens, chain: true, connections: 4 })
    const login = await load({
      ...job,
      path: '/login',
      bodies: loginBodies(people.map(({ email }) => email)),
      connections: 1
    })
    return { refresh: refresh.p50, login: login.p50 }
  } finally {
    await auth.stop()
  }
}

// All have one password, and one session each that was used some time in the last month.
/** @param {string} url @param {number} size */
async function seed(url, size) {
  const client = new pg.Client(url)
  await client.connect()
  const hash = bcrypt.hashSync(PASSWORD, 10)
  await client.query(
    `INSERT INTO users (id, email, username, password_hash, token_hash, created_at)
     SELECT gen_random_uuid(), 'person' || n || '@bench.example.com', 'Person ' || n, $1, sha256(n::text::bytea), now()
       FROM generate_series(0, $2::int - 1) n`,
    [hash, size]
  )
  await client.query(
    `INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on)
     SELECT gen_random_uuid(), id, used, used, used + interval '30 days', used + interval '90 days', used::date + 32
       FROM (SELECT id, now() - random() * interval '29 days' AS used FROM users) AS people`
  )
  await client.query('VACUUM ANALYZE')
  await client.end()
}
