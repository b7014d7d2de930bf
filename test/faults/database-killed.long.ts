import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, LONGEST_RECOVERY, recordHistory, timeToRecover } from './history.ts'
import { startPeople } from './people.ts'

const ROUNDS = 3
const AWAY = 10_000

await buildFirst()

t.test('PostgreSQL is killed again and again under load, and away for 10 s each time', async (t) => {
  const database = await startDatabase(t)
  const { auth } = await startPair(t, { DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' })
  const history = recordHistory(() => auth.url)
  const health = recordHistory(() => auth.url)
  const load = startPeople(t, history)
  for (let round = 1; round <= ROUNDS; round += 1) {
    await sleep(2000)
    await database.kill()
    for (const end = Date.now() + AWAY; Date.now() < end; await sleep(200)) {
      for (const line of ['GET /healthz', 'GET /.well-known/jwks.json']) await health.send(line)
      t.equal((await health.send('GET /readyz')).status, 503)
    }
    await database.start()
    const recovery = await timeToRecover(() => history.send('GET /readyz'))
    t.ok(recovery < LONGEST_RECOVERY, `recovered within ${recovery} ms`)
  }
  await load.stop()
  await load.check(t)
  everyAnswerIsClean(t, [...history.operations, ...health.operations])
  const wrong = health.operations.filter(({ name, status }) => name !== 'GET /readyz' && status !== 200)
  t.strictSame(wrong, [], 'health and the key set answered throughout')
  t.notMatch(auth.output(), /"code":"internal_error"|uncaught/)
  t.equal(await auth.stop(), 0)
})
