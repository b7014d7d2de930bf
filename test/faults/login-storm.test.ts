import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, recordHistory, summary } from './history.ts'

const STORM = 80

await buildFirst()

t.test('a storm of logins: those that would wait too long hear so, and nobody else notices', async (t) => {
  const { auth, resource } = await startPair(t, {
    BCRYPT_COST: '12',
    HASH_QUEUE_TIMEOUT: '2s',
    RATE_LIMIT_PER_MINUTE: '0'
  })
  const { send, operations } = recordHistory(() => auth.url)
  const greetings = recordHistory(() => resource.url)
  const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
  await send('POST /signup', { body: ada })
  const { body: tokens } = await send('POST /login', { body: { email: ada.email, password: ada.password } })

  let over = false
  const storm = Promise.all(
    Array.from({ length: STORM }, (_, i) =>
      send('POST /login', { body: { email: `nobody${i}@example.com`, password: 'a guess' } })
    )
  ).finally(() => {
    over = true
  })
  let refresh = tokens['refresh_token']
  const others = []
  while (!over) {
    others.push(await greetings.send('GET /greet', { token: tokens['access_token'] }))
    const refreshed = await send('POST /refresh-token', { token: refresh })
    refresh = refreshed.body['refresh_token'] ?? refresh
    others.push(refreshed)
  }
  const answers = await storm
  t.equal(answers.filter(({ status }) => status === 401 || status === 503).length, STORM)
  const refused = answers.filter(({ status }) => status === 503)
  t.ok(refused.length > 0 && refused.length < STORM, `of ${STORM} logins ${summary(answers)}`)
  const said = (reason: RegExp) => auth.output().match(reason)?.length ?? 0
  const atOnce = said(/"msg":"hashing: about \d+ ms to wait/g)
  const late = said(/"msg":"hashing: no thread was free/g)
  t.ok(atOnce > late, `${atOnce} at once, ${late} after having waited`)
  t.strictSame(
    others.filter(({ status }) => status !== 200),
    [],
    `${others.length} greetings and refreshes`
  )
  everyAnswerIsClean(t, [...operations, ...greetings.operations])
  t.equal((await send('POST /login', { body: { email: ada.email, password: ada.password } })).status, 200)
})
