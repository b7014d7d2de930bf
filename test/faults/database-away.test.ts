import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, LONGEST_RECOVERY, recordHistory, timeToRecover } from './history.ts'
import { startPeople } from './people.ts'

await buildFirst()
const database = await startDatabase(t)

t.test(
  'PostgreSQL is killed under load: nothing acknowledged is lost, and the service recovers by itself',
  async (t) => {
    const { auth } = await startPair(t, { DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' })
    const history = recordHistory(() => auth.url)
    const health = recordHistory(() => auth.url)
    const load = startPeople(t, history, 2)
    while (!history.operations.some(({ name, status }) => name === 'POST /logout' && status === 204)) await sleep(20)

    await database.kill()
    const unready = await health.send('GET /readyz')
    t.equal(unready.status, 503, 'it says that it cannot serve')
    for (const path of ['/healthz', '/.well-known/jwks.json'])
      t.equal((await health.send(`GET ${path}`)).status, 200, path)
    await sleep(1000)
    await database.start()
    const recovery = await timeToRecover(() => health.send('GET /readyz'))
    t.ok(recovery < LONGEST_RECOVERY, `recovered within ${recovery} ms`)
    const since = Date.now()
    while (
      !history.operations.some(({ begun, name, status }) => begun > since && name === 'POST /login' && status === 200)
    )
      await sleep(20)
    await load.stop()
    t.ok(
      history.operations.some(({ status }) => status === 503),
      'somebody noticed'
    )
    await load.check(t)
    everyAnswerIsClean(t, [...history.operations, ...health.operations])
    t.notMatch(auth.output(), /"code":"internal_error"|uncaught/)
    t.equal(await auth.stop(), 0)
  }
)

t.test('the service starts without PostgreSQL, says so, and is ready soon after it comes', async (t) => {
  const { auth } = await startPair(t, { DATABASE_URL: database.url })
  await auth.stop()
  await database.stop()
  await auth.start('/healthz')
  const { send, operations } = recordHistory(() => auth.url)
  t.equal((await send('GET /readyz')).status, 503)
  t.equal((await send('GET /.well-known/jwks.json')).status, 200)
  t.equal((await send('POST /login', { body: { email: 'ada@example.com', password: 'a harbour' } })).status, 503)
  await database.start()
  const recovery = await timeToRecover(() => send('GET /readyz'))
  t.ok(recovery < LONGEST_RECOVERY, `ready within ${recovery} ms`)
  everyAnswerIsClean(t, operations)
})
