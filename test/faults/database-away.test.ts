import { between } from '@latchkey/testing/between'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, recordHistory, recovers, UNFORESEEN, until, WITHOUT_DATABASE } from './history.ts'
import { startPeople } from './people.ts'

await buildFirst()
const database = await startDatabase(t)
const { auth } = await startPair(t, { DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' })
const credentials = { email: 'ada@example.com', password: 'a quiet harbour' }

t.test('PostgreSQL is killed under load: what was acknowledged is there, and the service recovers', async (t) => {
  const history = recordHistory(() => auth.url)
  const health = recordHistory(() => auth.url)
  const load = startPeople(t, history, 2)
  await until(history, ({ name, status }) => name === 'POST /logout' && status === 204)

  await database.kill()
  t.equal((await health.send('GET /readyz')).status, 503, 'it says that it cannot serve')
  for (const line of WITHOUT_DATABASE) t.equal((await health.send(line)).status, 200, line)
  await until(history, ({ status }) => status === 503)
  await database.start()
  await recovers(t, () => health.send('GET /readyz'))
  const since = Date.now()
  await until(history, ({ begun, name, status }) => begun > since && name === 'POST /login' && status === 200)
  await load.stop()
  await load.check(t)
  everyAnswerIsClean(t, [...history.operations, ...health.operations])
  t.notMatch(auth.output(), UNFORESEEN)
})

t.test('a service whose PostgreSQL is frozen still ends in order, after its last answer', async (t) => {
  const { send, operations } = recordHistory(() => auth.url)
  t.equal((await send('GET /readyz')).status, 200)
  await database.freeze()
  const login = send('POST /login', { body: credentials })
  // The request is on its way before the signal, because it was sent before.
  t.equal((await send('GET /healthz')).status, 200)
  const begun = Date.now()
  t.strictSame(await Promise.all([auth.stop(), auth.stop()]), [0, 0], 'a second signal changes nothing')
  between(t, Date.now() - begun, { most: 10_000 }, 'milliseconds')
  t.equal((await login).status, 503)
  everyAnswerIsClean(t, operations)
  await database.thaw()
})

t.test('the service starts without PostgreSQL, says so, and is ready soon after it comes', async (t) => {
  await database.stop()
  await auth.start('/healthz')
  const { send, operations } = recordHistory(() => auth.url)
  t.equal((await send('GET /readyz')).status, 503)
  t.equal((await send('GET /.well-known/jwks.json')).status, 503, 'for the database may have revoked any key')
  t.equal((await send('POST /login', { body: credentials })).status, 503)
  await database.start()
  await recovers(t, () => send('GET /readyz'))
  everyAnswerIsClean(t, operations)
})
