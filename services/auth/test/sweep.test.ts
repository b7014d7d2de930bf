import { recordOf } from '@latchkey/audit/record'
import { writeRecords } from '@latchkey/audit/write'
import { type Database, openDatabase } from '@latchkey/database/pool'
import { between } from '@latchkey/testing/between'
import { runAsOwner } from '@latchkey/testing/database'
import t from 'tap'
import { numberRows } from '../src/revocations/source.ts'
import { sweep } from '../src/sweep.ts'
import { startAuth } from './app.ts'
import { movedClock } from './moved-clock.ts'
import { addSessions, liveSessions } from './sessions.ts'

const DAY = 86_400
const ACCESS_LIFE = 900

const clock = await movedClock(t)
const auth = await startAuth(t, { env: { DATABASE_URL: clock.databaseUrl }, now: clock.now })
const { database, send } = auth
const count = async (table: string) => (await database.query(`SELECT 1 FROM ${table}`)).length

t.test('a sweep takes what ended long enough ago, and nothing else', async (t) => {
  // The first row is as old as the template of this database.
  await database.query('UPDATE revocations SET sealed_at = now()')
  const ada = await auth.person()
  const out = await auth.login(ada)
  await send('POST /logout', { token: out.refresh_token })
  await send('POST /login', { body: { email: 'nobody@example.com', password: 'x' } })
  t.equal(await sweep(database, ACCESS_LIFE), 0, 'not at once: their access tokens may live')
  await clock.advance(3 * DAY)
  t.equal(
    await sweep(database, 4 * DAY),
    2,
    'not before an access token has expired: the attempt, and the first row of the feed'
  )
  t.equal(await sweep(database, ACCESS_LIFE), 1, 'the session that was logged out')
  t.equal(await liveSessions(database, ada.id), 1)
  t.equal((await send('POST /refresh-token', { token: ada.refresh_token })).status, 200)
  await clock.advance(33 * DAY)
  t.equal(await sweep(database, ACCESS_LIFE), 1, 'the session that nobody used')
  t.equal(await count('sessions'), 0)
  t.equal(await count('attempts'), 0)
})

t.test('a sweep works in batches, and leaves alone what is being renewed', async (t) => {
  const ada = await auth.person()
  await addSessions(database, ada.id, 1201, -9 * 24)
  await database.transaction(async (connection) => {
    const [row] = await connection.query<{ id: string }>(
      'SELECT id FROM sessions WHERE idle_ends_at < now() LIMIT 1 FOR UPDATE'
    )
    t.equal(await sweep(database, ACCESS_LIFE), 1200)
    await connection.query(
      'UPDATE sessions SET idle_ends_at = now(), ends_at = now(), sweep_on = now()::date + 2 WHERE id = $1',
      [row?.id]
    )
  })
  t.equal(await sweep(database, ACCESS_LIFE), 0)
  t.equal(await count('sessions'), 2)
})

t.test('two sweeps at once share the work', async (t) => {
  const ada = await auth.person()
  await addSessions(database, ada.id, 3000, -9 * 24)
  const removed = await Promise.all([sweep(database, ACCESS_LIFE), sweep(database, ACCESS_LIFE)])
  await sweep(database, ACCESS_LIFE)
  between(t, removed[0] + removed[1], { most: 3000 })
  t.equal(await count('sessions'), 1 + 2)
})

t.test('what comes into the audit log after its person was deleted is erased by the next sweep', async (t) => {
  const { database, person, send } = await startAuth(t)
  const ada = await person()
  const eve = await person()
  t.equal((await send('DELETE /me', { token: ada.access_token, body: { current_password: ada.password } })).status, 204)
  const late = [ada, eve].map(({ id }) =>
    recordOf('login', { user: id, session: ada.id }, { ip: '192.0.2.7', userAgent: 'a late request' })
  )
  await writeRecords(database, late)
  await database.query('SELECT audit_seal(1000)')
  await sweep(database, ACCESS_LIFE)
  const rows = await database.query<{ person_id: string; personal: object | null }>(
    'SELECT person_id, personal FROM audit_records WHERE id = ANY ($1)',
    [late.map(({ id }) => id)]
  )
  t.equal(rows.find(({ person_id }) => person_id === ada.id)?.personal, null)
  t.match(rows.find(({ person_id }) => person_id === eve.id)?.personal, { ip: '192.0.2.7' })
})

// The planner's choice depends on what it knows of the tables, and may be any of these on another day.
const PLANS = {
  'as usual': [],
  'a nested loop that asks anew for each row': ['hashjoin', 'mergejoin', 'hashagg', 'sort', 'material', 'memoize'],
  'a merge join': ['hashjoin', 'nestloop'],
  'a hash join': ['mergejoin', 'nestloop']
}

for (const [name, without] of Object.entries(PLANS)) {
  t.test(`no statement of a sweep removes more than its limit, with the plan: ${name}`, async (t) => {
    const ada = await auth.person()
    await addSessions(database, ada.id, 1200, -9 * 24)
    await database.query(
      `INSERT INTO attempts (bucket, failures, next_at, updated_at, sweep_on)
       SELECT sha256(n::text::bytea), 1, now(), now() - interval '9 days', now()::date - 7 FROM generate_series(1, 1200) AS n`
    )
    await addMails(database, ada.id, 1200)
    await addRevocations(database, 1200)
    await runAsOwner(clock.databaseUrl, 'ANALYZE sessions, attempts, codes, mails, mailings, signups, revocations')
    const planned = openPlanned(without)
    t.teardown(() => planned.close())
    const removed: number[] = []
    const counted: Pick<Database, 'query'> = {
      query: async (sql, values) => {
        const rows = await planned.query<never>(sql, values)
        removed.push(rows.length)
        return rows
      }
    }
    t.equal(await sweep(counted, ACCESS_LIFE), 8400)
    const batches = [500, 500, 200]
    const rows = [...Array(6).fill(batches).flat(), ONE_PASS, ...batches]
    t.strictSame(removed, [...rows, 0], 'and nothing came late into the audit log')
  })
}

/** The row of a pass that numbers what is new in the revocation feed. */
const ONE_PASS = 1

// Rows of the revocation feed whose tokens have expired, and one that is new: the last row always stays.
async function addRevocations(database: Database<string>, count: number): Promise<void> {
  const add = (rows: number) =>
    database.query("INSERT INTO revocations (kind, key) SELECT 'session', n FROM generate_series(1, $1) AS n", [rows])
  await database.query('DELETE FROM revocations')
  await add(count)
  await numberRows(database)
  await database.query("UPDATE revocations SET sealed_at = now() - interval '1 day' WHERE key IS NOT NULL")
  await add(1)
}

// Codes, mails and sign-ups whose time is over.
async function addMails(database: Database<string>, userId: string, count: number): Promise<void> {
  const times = "now() - interval '9 days', now()::date - 1"
  await database.query(
    `WITH m AS (
       INSERT INTO mails (id, purpose, user_id, asked_at, due_at, give_up_at, done_at, outcome, sweep_on)
       SELECT gen_random_uuid(), 'verify_email', $1, now(), now(), now(), now() - interval '8 days', 'sent', now()::date - 1
         FROM generate_series(1, $2) RETURNING id),
     g AS (
       INSERT INTO signups (id, email, username, password_hash, asked_at, sweep_on)
       SELECT gen_random_uuid(), n || '@example.com', 'New', '', ${times} FROM generate_series(1, $2) AS n),
     n AS (
       INSERT INTO mailings (mail_id, address_hash, purpose, sent_at, sweep_on)
       SELECT id, sha256(id::text::bytea), 'verify_email', ${times} FROM m)
     INSERT INTO codes (code_hash, mail_id, purpose, user_id, email, expires_at, sweep_on)
     SELECT sha256(id::text::bytea), id, 'verify_email', $1, 'a@example.com', ${times} FROM m`,
    [userId, count]
  )
}

function openPlanned(without: string[]): Database {
  const url = new URL(clock.databaseUrl)
  url.searchParams.set('options', without.map((way) => `-c enable_${way}=off`).join(' '))
  return openDatabase({ DATABASE_URL: url.href, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
}
