import pg from 'pg'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, LONGEST_RECOVERY, recordHistory, timeToRecover } from './history.ts'

/** What takes no database is answered within so many milliseconds, whatever the database does; a second is margin. */
const AT_ONCE = 100 + 1000
const POOL_SIZE = 4

await buildFirst()
const database = await startDatabase(t)
const { auth } = await startPair(t, {
  DATABASE_URL: database.url,
  DATABASE_POOL_SIZE: String(POOL_SIZE),
  RATE_LIMIT_PER_MINUTE: '0'
})
const independent = ['GET /healthz', 'GET /.well-known/jwks.json']

t.test('every connection waits for a lock: the next requests are told so in time, and health goes on', async (t) => {
  const { send, operations } = recordHistory(() => auth.url)
  const other = new pg.Client(database.url)
  await other.connect()
  t.teardown(() => other.end())
  await other.query('BEGIN')
  await other.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
  const body = { email: 'ada@example.com', password: 'a quiet harbour' }
  const logins = Promise.all(Array.from({ length: 5 * POOL_SIZE }, () => send('POST /login', { body })))
  for (const line of independent) {
    const { status, ms } = await send(line)
    t.ok(status === 200 && ms < AT_ONCE, `${line} says ${status} after ${ms} ms`)
  }
  for (const { status } of await logins) t.equal(status, 503)
  await other.query('ROLLBACK')
  const recovery = await timeToRecover(() => send('GET /readyz'))
  t.ok(recovery < LONGEST_RECOVERY, `recovered within ${recovery} ms`)
  t.equal((await send('POST /login', { body })).status, 401)
  everyAnswerIsClean(t, operations)
})

t.test('a service whose PostgreSQL is frozen still ends in order, after its last answer', async (t) => {
  const { send, operations } = recordHistory(() => auth.url)
  t.equal((await send('GET /readyz')).status, 200)
  await database.freeze()
  t.teardown(() => database.thaw())
  const login = send('POST /login', { body: { email: 'ada@example.com', password: 'a quiet harbour' } })
  // The request is on its way before the signal, because it was sent before.
  t.equal((await send('GET /healthz')).status, 200)
  const begun = Date.now()
  t.equal(await auth.stop(), 0)
  t.ok(Date.now() - begun < 10_000, `within ${Date.now() - begun} ms`)
  t.equal((await login).status, 503)
  everyAnswerIsClean(t, operations)
})
