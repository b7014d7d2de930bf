import { randomBytes, randomUUID } from 'node:crypto'
import bcrypt from 'bcryptjs'
import pg from 'pg'
import { AUDIENCE, BCRYPT_COST, migrate } from './pair.mjs'
import { sourceOf } from './sources.mjs'

const { loadKeys } = await sourceOf('services/auth/src/keys/folder.ts')
const { GRANT_COLUMNS } = await sourceOf('services/auth/src/sessions/rows.ts')
const { createTokenIssuer } = await sourceOf('services/auth/src/sessions/tokens.ts')

/** The password of everybody. */
export const PASSWORD = 'a quiet harbour at dawn'
const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

// bigint columns, which are small numbers here, as the auth service reads them.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/**
 * A new database with so many users. Each has a session that was last used some time in the last 29 days, and every
 * hundredth has mistyped the password. Rows lie as real ones do: sessions in order of time, ids and addresses of chance.
 *
 * @param {import('./pair.mjs').Pair} pair
 * @param {number} count
 * @returns {Promise<string>} its url
 */
export async function createPeople(pair, count) {
  const url = await pair.createDatabase()
  migrate(url)
  const hash = bcrypt.hashSync(PASSWORD, Number(BCRYPT_COST))
  await withClient(url, async (client) => {
    await client.query(
      `INSERT INTO users (id, email, username, password_hash, token_hash, created_at)
       SELECT gen_random_uuid(), md5(n::text) || '@bench.example.com', 'Person ' || n, $1,
              sha256(convert_to(random()::text || n, 'UTF8')), now() - interval '1 year' * (1 - n / $2::float8)
         FROM generate_series(1, $2::int) n`,
      [hash, count]
    )
    await client.query(
      `INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on, ip, user_agent)
       SELECT gen_random_uuid(), id, used, used, used + interval '30 days', used + interval '90 days',
              (used + interval '30 days')::date + 2, '192.0.2.' || floor(random() * 255), $1
         FROM (SELECT id, now() - random() * interval '29 days' AS used FROM users ORDER BY used) AS people`,
      [USER_AGENT]
    )
    await client.query(
      `INSERT INTO attempts (bucket, failures, next_at, updated_at, sweep_on)
       SELECT sha256(convert_to(email, 'UTF8')), 1, 'epoch', now(), now()::date + 2 FROM users WHERE random() < 0.01`
    )
    await client.query('VACUUM ANALYZE')
  })
  return url
}

/**
 * The refresh tokens that are current in the database, of some of the people.
 *
 * @param {import('./pair.mjs').Pair} pair
 * @param {string} databaseUrl
 * @param {number} count
 */
export async function refreshTokens(pair, databaseUrl, count) {
  return (await sign(pair, await somePeople(databaseUrl, count))).map(({ refresh_token }) => refresh_token)
}

/**
 * The bodies with which some of the people log in: the same people as those of the refresh tokens.
 *
 * @param {string} databaseUrl
 * @param {number} count
 */
export async function loginBodies(databaseUrl, count) {
  return (await somePeople(databaseUrl, count)).map(({ email }) => JSON.stringify({ email, password: PASSWORD }))
}

/**
 * Scattered over all of the people, each with what tokens are made of.
 *
 * @param {string} databaseUrl
 * @param {number} count
 */
async function somePeople(databaseUrl, count) {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query(
      `SELECT u.email, ${GRANT_COLUMNS} FROM sessions s JOIN users u ON u.id = s.user_id ORDER BY md5(s.id::text) LIMIT $1`,
      [count]
    )
  )
  return rows
}

/**
 * So many access tokens of so many users, as the auth service signs them.
 *
 * @param {import('./pair.mjs').Pair} pair
 * @param {number} count
 */
export async function accessTokens(pair, count) {
  const now = Math.floor(Date.now() / 1000)
  const grants = Array.from({ length: count }, () => ({
    user_id: randomUUID(),
    username: 'Ada',
    roles: ['user'],
    epoch: 0,
    token_hash: randomBytes(32),
    sid: randomUUID(),
    generation: 0,
    iat: now,
    idle_end: now + 3600,
    end: now + 3600,
    now
  }))
  return (await sign(pair, grants)).map(({ access_token }) => access_token)
}

/**
 * @param {import('./pair.mjs').Pair} pair
 * @param {any[]} grants
 */
async function sign({ keys, issuer }, grants) {
  const { issue, now } = createTokenIssuer(await loadKeys(keys, console.error), {
    issuer,
    audience: [AUDIENCE],
    accessLife: 3600,
    rotation: true,
    now: Date.now
  })
  return Promise.all(grants.map((grant) => issue({ grant, asked: now() })))
}

/**
 * @template T
 * @param {string} url
 * @param {(client: pg.Client) => Promise<T>} use
 */
async function withClient(url, use) {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
