import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, recordHistory, recovers, until, WITHOUT_DATABASE } from './history.ts'
import { startInstances } from './instances.ts'
import { startPeople } from './people.ts'

/** What takes no database is answered within so many milliseconds, whatever the database does; a second is margin. */
const AT_ONCE = 100 + 1000

await buildFirst()
const database = await startDatabase(t)
const { anyAuth } = await startInstances(t, { DATABASE_URL: database.url })

t.test('PostgreSQL freezes under load: nobody waits longer than promised, and no connection stays stuck', (t) =>
  silent(t, { length: 30_000, begin: database.freeze, end: database.thaw })
)

t.test('the network to PostgreSQL falls silent under load: the same', (t) =>
  silent(t, { length: 10_000, begin: database.proxy.stall, end: database.proxy.flow })
)

async function silent(
  t: Test,
  { length, begin, end }: { length: number; begin(): Promise<void> | void; end(): Promise<void> | void }
): Promise<void> {
  const history = recordHistory(anyAuth)
  const health = recordHistory(anyAuth)
  const load = startPeople(t, history, 4)
  await until(history, ({ name, status }) => name === 'POST /logout' && status === 204)
  await begin()
  for (const over = Date.now() + length; Date.now() < over; await sleep(100)) {
    for (const line of WITHOUT_DATABASE) await health.send(line)
  }
  t.equal((await health.send('GET /readyz')).status, 503, 'it says that it cannot serve')
  await end()
  await recovers(t, () => history.send('GET /readyz'))
  await load.stop()
  await load.check(t)
  everyAnswerIsClean(t, [...history.operations, ...health.operations])
  const slow = health.operations.filter(
    ({ name, status, ms }) => name !== 'GET /readyz' && (status !== 200 || ms > AT_ONCE)
  )
  t.strictSame(slow, [], 'health and the key set answered throughout')
}
