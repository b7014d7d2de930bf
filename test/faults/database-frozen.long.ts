import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, LONGEST_RECOVERY, recordHistory, timeToRecover } from './history.ts'
import { startPeople } from './people.ts'

/** What takes no database is answered within so many milliseconds, whatever the database does; a second is margin. */
const AT_ONCE = 100 + 1000
const FROZEN = 30_000

await buildFirst()
const database = await startDatabase(t)
const { auth } = await startPair(t, { DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' })
const independent = ['GET /healthz', 'GET /.well-known/jwks.json']

t.test('PostgreSQL freezes under load: nobody waits longer than promised, and no connection stays stuck', async (t) => {
  const history = recordHistory(() => auth.url)
  const health = recordHistory(() => auth.url)
  const load = startPeople(t, history, 8)
  while (!history.operations.some(({ name, status }) => name === 'POST /logout' && status === 204)) await sleep(20)
  await database.freeze()
  for (const end = Date.now() + FROZEN; Date.now() < end; await sleep(100)) {
    for (const line of independent) await health.send(line)
  }
  t.equal((await health.send('GET /readyz')).status, 503, 'it says that it cannot serve')
  await database.thaw()
  const recovery = await timeToRecover(() => history.send('GET /readyz'))
  t.ok(recovery < LONGEST_RECOVERY, `recovered within ${recovery} ms`)
  await load.stop()
  await load.check(t)
  everyAnswerIsClean(t, [...history.operations, ...health.operations])
  const slow = health.operations.filter(
    ({ name, status, ms }) => name !== 'GET /readyz' && (status !== 200 || ms > AT_ONCE)
  )
  t.strictSame(slow, [], 'health and the key set answered throughout')
})
