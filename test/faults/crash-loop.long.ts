import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { recordHistory, summary } from './history.ts'
import { startPeople } from './people.ts'

const KILLS = 20
/** The promise of 3 s, and as much for a machine that is busy with the load and other tests, in milliseconds. */
const LONGEST_START = 3000 + 3000
/** In seconds. */
const REUSE_WINDOW = 1

await buildFirst()

t.test('the auth service is killed twenty times under load: what it acknowledged is kept', async (t) => {
  const database = await startDatabase(t)
  const { auth, resource } = await startPair(t, {
    DATABASE_URL: database.url,
    REFRESH_REUSE_WINDOW: `${REUSE_WINDOW}s`,
    RATE_LIMIT_PER_MINUTE: '0'
  })
  const history = recordHistory(() => auth.url)
  const greetings = recordHistory(() => resource.url)
  const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
  await history.send('POST /signup', { body: ada })
  const { body: tokens } = await history.send('POST /login', { body: { email: ada.email, password: ada.password } })
  const refresh = (token: string | undefined) => history.send('POST /refresh-token', { token })
  const { body: next } = await refresh(tokens['refresh_token'])

  const load = startPeople(t, history, 2)
  const starts: number[] = []
  for (let i = 0; i < KILLS; i += 1) {
    await sleep(100 + 37 * i)
    await auth.kill()
    await greetings.send('GET /greet', { token: tokens['access_token'] })
    const begun = Date.now()
    await auth.start()
    starts.push(Date.now() - begun)
  }
  await load.stop()
  // The quickest tells what a start needs; the others, what else the machine was doing.
  between(
    t,
    Math.min(...starts),
    { most: LONGEST_START },
    `starts took ${Math.min(...starts)} to ${Math.max(...starts)} ms`
  )
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
  t.equal((await refresh(tokens['refresh_token'])).status, 401, 'a token that was superseded before is refused')
  t.equal((await refresh(next['refresh_token'])).status, 401, 'and its session is over')
})
