import { between } from '@latchkey/testing/between'
import { createDatabase, runStatement } from '@latchkey/testing/database'
import pg from 'pg'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, percentile, recordHistory, recovers, timeToRecover, WITHOUT_DATABASE } from './history.ts'

/** The promise for what takes no database, in milliseconds. */
const AT_ONCE = 100
/** In seconds. */
const TIMEOUT = 2
const POOL_SIZE = 4

await buildFirst()
const database = await createDatabase(t)
const { auth, resource } = await startPair(t, {
  DATABASE_URL: database,
  DATABASE_POOL_SIZE: String(POOL_SIZE),
  ANSWER_TIMEOUT: `${TIMEOUT}s`,
  PASSWORD_TIMEOUT: `${TIMEOUT}s`,
  RATE_LIMIT_PER_MINUTE: '0'
})
const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
const credentials = { email: ada.email, password: ada.password }

t.test('every connection waits for a lock: the next requests are told so in time, and health goes on', async (t) => {
  const { send, operations } = recordHistory(() => auth.url)
  const independent = recordHistory(() => auth.url)
  const other = new pg.Client(database)
  await other.connect()
  t.teardown(() => other.end())
  await other.query('BEGIN')
  await other.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
  let over = false
  const logins = Promise.all(
    Array.from({ length: 5 * POOL_SIZE }, () => send('POST /login', { body: credentials }))
  ).finally(() => {
    over = true
  })
  while (!over) {
    for (const line of WITHOUT_DATABASE) {
      t.equal((await independent.send(line)).status, 200, line)
    }
  }
  // One in twenty may be slower, because other tests run.
  const most = percentile(independent.operations, 95)
  between(t, most, { most: AT_ONCE }, `of ${independent.operations.length}, 95 % took less than ${most} ms`)
  for (const { status } of await logins) t.equal(status, 503)
  await other.query('ROLLBACK')
  await recovers(t, () => send('GET /readyz'))
  t.equal((await send('POST /login', { body: credentials })).status, 401)
  everyAnswerIsClean(t, operations, TIMEOUT * 1000)
})

t.test('PostgreSQL takes no writes: they are 503, reads go on, and writes come back by themselves', async (t) => {
  const { send, operations } = recordHistory(() => auth.url)
  const bob = { ...ada, email: 'bob@example.com' }
  t.equal((await send('POST /signup', { body: ada })).status, 201)
  const { body: tokens } = await send('POST /login', { body: credentials })
  const token = tokens['access_token']

  await setReadOnly('on')
  await timeToRecover(() => send('GET /me', { token }))
  const refused = [
    await send('POST /signup', { body: bob }),
    await send('POST /login', { body: credentials }),
    await send('POST /refresh-token', { token: tokens['refresh_token'] }),
    await send('POST /logout', { token: tokens['refresh_token'] }),
    await send('POST /logout-everywhere', { token })
  ]
  for (const { name, status } of refused) t.equal(status, 503, name)
  for (const line of ['GET /me', 'GET /sessions']) t.equal((await send(line, { token })).status, 200, line)
  for (const line of WITHOUT_DATABASE) t.equal((await send(line)).status, 200, line)
  const greeting = recordHistory(() => resource.url)
  t.equal((await greeting.send('GET /greet', { token })).status, 200)

  await setReadOnly('off')
  await recovers(t, () => send('POST /signup', { body: bob }))
  t.equal((await send('POST /refresh-token', { token: tokens['refresh_token'] })).status, 200, 'nothing was spent')
  everyAnswerIsClean(t, operations, TIMEOUT * 1000)
})

// A session has the default of its beginning, so those that there are have to end first.
async function setReadOnly(value: 'on' | 'off'): Promise<void> {
  const [server, name] = [new URL('/postgres', database).href, new URL(database).pathname.slice(1)]
  await runStatement(server, `ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`)
  await runStatement(server, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${name}'`)
}
