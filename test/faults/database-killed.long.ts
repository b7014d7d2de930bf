import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, recordHistory, recovers, UNFORESEEN, WITHOUT_DATABASE } from './history.ts'
import { startInstances } from './instances.ts'
import { startPeople } from './people.ts'

/** How long PostgreSQL is away, round for round, in milliseconds. */
const AWAY = [10_000, 0, 3000]

await buildFirst()

t.test('PostgreSQL is killed again and again under load of two instances, and away for up to 10 s', async (t) => {
  const database = await startDatabase(t)
  const { auths, anyAuth } = await startInstances(t, { DATABASE_URL: database.url })
  const history = recordHistory(anyAuth)
  const health = recordHistory(anyAuth)
  const load = startPeople(t, history)
  for (const away of AWAY) {
    await sleep(2000)
    await database.kill()
    for (const end = Date.now() + away; Date.now() < end; await sleep(200)) {
      for (const line of WITHOUT_DATABASE) await health.send(line)
      t.equal((await health.send('GET /readyz')).status, 503)
    }
    await database.start()
    for (const { url } of auths) {
      const { send } = recordHistory(() => url)
      await recovers(t, () => send('GET /readyz'))
    }
  }
  await load.stop()
  await load.check(t)
  everyAnswerIsClean(t, [...history.operations, ...health.operations])
  const wrong = health.operations.filter(({ name, status }) => name !== 'GET /readyz' && status !== 200)
  t.strictSame(wrong, [], 'health and the key set answered throughout')
  for (const { output, stop } of auths) {
    t.notMatch(output(), UNFORESEEN)
    t.equal(await stop(), 0)
  }
})
