import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { recordHistory, summary } from './history.ts'
import { startPeople } from './people.ts'

const KILLS = 20
/** The promise of 3 s, and a margin for a machine that is busy with tests, in milliseconds. */
const LONGEST_START = 3000 + 3000

await buildFirst()

t.test('the auth service is killed twenty times under load: what it acknowledged is kept', async (t) => {
  const database = await startDatabase(t)
  const { auth, resource } = await startPair(t, { DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' })
  const history = recordHistory(() => auth.url)
  const greetings = recordHistory(() => resource.url)
  const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
  await history.send('POST /signup', { body: ada })
  const login = await history.send('POST /login', { body: { email: ada.email, password: ada.password } })
  const load = startPeople(t, history)
  let longest = 0
  for (let i = 0; i < KILLS; i += 1) {
    await sleep(300 + 37 * i)
    await auth.kill()
    await greetings.send('GET /greet', { token: login.body['access_token'] })
    const begun = Date.now()
    await auth.start()
    longest = Math.max(longest, Date.now() - begun)
  }
  await load.stop()
  t.ok(longest < LONGEST_START, `the longest start took ${longest} ms`)
  t.comment(summary(history.operations))
  t.strictSame(
    greetings.operations.filter(({ status }) => status !== 200),
    [],
    'greeted each time'
  )
  t.strictSame(
    history.operations.filter(({ status }) => status >= 500 && status !== 503),
    []
  )
  await load.check(t)
})
