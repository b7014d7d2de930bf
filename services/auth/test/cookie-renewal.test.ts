import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startAuth } from './app.ts'
import { ACCESS, type Browser, browser, REFRESH, setCookies, signedIn } from './cookie-jar.ts'
import { movedClock } from './moved-clock.ts'
import { ENDINGS, everythingOf, liveSessions, sessionOf } from './sessions.ts'
import { claimsOf, resign } from './tokens.ts'

const clock = await movedClock(t)
const env = { DATABASE_URL: clock.databaseUrl, COOKIE_RENEWAL_WINDOW: '60s', REFRESH_REUSE_WINDOW: '30s' }
const auth = await startAuth(t, { env, now: clock.now })
const other = await startAuth(t, { env, now: clock.now })
const { database } = auth

const generationOf = ({ jar }: Browser) => claimsOf(jar.get(REFRESH) ?? '')['generation']
/** A tab of the same browser, whose requests go to the second instance. */
const tab = ({ jar }: Browser) => browser(other, jar)

t.test('a renewal is too early until the window begins, and then gives new cookies', async (t) => {
  const own = await signedIn(auth, await auth.person())
  const before = new Map(own.jar)
  // The second time is shortly before the window, and the third in it.
  for (const [most, stay] of [
    [840, 60],
    [60, 0]
  ] as const) {
    const answer = await own.send('POST /refresh')
    isProblem(t, answer, 'renewal_too_early')
    const wait = Number(answer.headers['retry-after'])
    between(t, wait, { least: most - 50, most })
    t.strictSame([setCookies(answer), own.jar], [[], before], 'the cookies stay')
    await clock.advance(wait - stay)
  }
  const answer = await own.send('POST /refresh')
  t.strictSame([answer.status, answer.body], [200, { username: answer.body.username, expires_in: 900 }])
  t.strictSame(
    setCookies(answer).map(({ name, maxAge, sameSite, path, httpOnly, secure }) => [
      name,
      maxAge,
      sameSite,
      path,
      httpOnly,
      secure
    ]),
    [
      [ACCESS, 900, 'lax', '/', true, true],
      [REFRESH, 2_592_000, 'strict', '/', true, true]
    ]
  )
  t.equal(generationOf(own), 1)
  t.equal((await own.send('GET /me')).status, 200)
})

t.test('the refresh cookie alone renews at once, for the access cookie is gone or of no use', async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  const elsewhere = await signedIn(auth, ada)
  const own = await signedIn(auth, ada)
  const key = auth.keys.access.current
  const good = own.jar.get(ACCESS) ?? ''
  const useless = {
    'no access cookie': undefined,
    'an empty one': '',
    'a forged one': `${good.slice(0, -8)}AAAAAAAA`,
    'no token at all': 'nonsense',
    'a refresh token': own.jar.get(REFRESH),
    'that of another session': elsewhere.jar.get(ACCESS),
    'that of another user': eve.access_token,
    'one of an earlier epoch': await resign(good, key, { claims: { epoch: 7 } }),
    'one that has expired': await resign(good, key, { claims: { iat: 1_700_000_000, exp: 1_700_000_900 } }),
    'a very long one': 'a'.repeat(9000)
  }
  for (const [about, access] of Object.entries(useless)) {
    if (access === undefined) own.jar.delete(ACCESS)
    else own.jar.set(ACCESS, access)
    t.equal((await own.send('POST /refresh')).status, 200, about)
  }
  t.equal(generationOf(own), Object.keys(useless).length)
})

t.test('two access cookies count as none, so that a changed COOKIE_DOMAIN heals by itself', async (t) => {
  const { jar } = await signedIn(auth, await auth.person())
  const [access, refresh] = [jar.get(ACCESS), jar.get(REFRESH)]
  const cookie = `${ACCESS}=${access}; ${REFRESH}=${refresh}; ${ACCESS}=${access}`
  t.equal((await auth.send('POST /refresh', { headers: { cookie } })).status, 200)
  isProblem(t, await auth.send('GET /me', { headers: { cookie } }), 'invalid_request')
})

t.test(
  'without a refresh cookie that is genuine and unexpired the answer is 401, and no cookie is cleared',
  async (t) => {
    const ada = await auth.person()
    const { jar } = await signedIn(auth, ada)
    const [access = '', refresh = ''] = [jar.get(ACCESS), jar.get(REFRESH)]
    const attempt = async (cookie: string) => {
      const answer = await auth.send('POST /refresh', { headers: { cookie } })
      t.strictSame(setCookies(answer), [], cookie.slice(0, 40))
      return answer
    }
    isProblem(t, await auth.send('POST /refresh'), 'missing_token')
    isProblem(t, await auth.send('POST /refresh', { token: ada.refresh_token }), 'missing_token', [], 'by header')
    isProblem(t, await attempt(`${ACCESS}=${access}`), 'missing_token')
    isProblem(t, await attempt(`refresh_token=${refresh}`), 'missing_token', [], 'the name of another issuer')
    isProblem(t, await attempt(`${REFRESH}=`), 'missing_token')
    isProblem(t, await attempt(`${REFRESH}=${access}`), 'invalid_token')
    isProblem(t, await attempt(`${REFRESH}=${refresh.slice(0, -8)}AAAAAAAA`), 'invalid_token')
    isProblem(t, await attempt(`${REFRESH}=${'a'.repeat(9000)}`), 'invalid_token')
    isProblem(t, await attempt(`${REFRESH}=${refresh}; ${REFRESH}=${refresh}`), 'invalid_request')
    const expired = await resign(refresh, auth.keys.refresh.current, {
      claims: { iat: 1_600_000_000, exp: 1_600_000_900 }
    })
    isProblem(t, await attempt(`${REFRESH}=${expired}`), 'token_expired')
    t.equal(await liveSessions(database, ada.id), 2)
  }
)

for (const [about, statement] of Object.entries(ENDINGS)) {
  t.test(`a renewal is 401 after ${about}, although the access cookie has its time left`, async (t) => {
    const ada = await auth.person()
    const own = await signedIn(auth, ada)
    await database.query(statement, [ada.id])
    const answer = await own.peek('POST /refresh')
    isProblem(t, answer, 'invalid_token')
    t.strictSame(setCookies(answer), [], 'a 401 clears nothing: a late one would clear what another tab has got')
  })
}

t.test('two and four tabs that renew at once, at two instances, all go on in one session', async (t) => {
  for (const count of [2, 4]) {
    const own = await signedIn(auth, await auth.person())
    await clock.advance(900)
    const tabs = Array.from({ length: count }, (_, i) => (i % 2 ? tab(own) : browser(auth, own.jar)))
    const answers = await Promise.all(tabs.map((one) => one.peek('POST /refresh')))
    t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
    const refreshed = answers.map((answer) => setCookies(answer).find(({ name }) => name === REFRESH)?.value)
    t.equal(new Set(refreshed).size, 1, 'the same refresh cookie')
    // The answers come in any order, and the jar keeps the last one.
    for (const answer of answers.toReversed()) own.take(answer)
    t.equal(generationOf(own), 1)
    t.equal((await own.send('GET /me')).status, 200)
    isProblem(t, await tab(own).send('POST /refresh'), 'renewal_too_early', [], 'the tab that wakes up late')
    await clock.advance(900)
    t.equal((await own.send('POST /refresh')).status, 200)
  }
})

t.test('tabs that lose their answers again and again keep the session', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  for (let round = 0; round < 12; round += 1) {
    await clock.advance(900)
    await own.peek('POST /refresh')
    await clock.advance(20)
    t.equal((await tab(own).peek('POST /refresh')).status, 200)
    t.equal((await own.send('POST /refresh')).status, 200, `round ${round}`)
  }
  t.equal(generationOf(own), 12)
})

t.test('a superseded refresh cookie after the window is theft, also beside a good access cookie', async (t) => {
  const own = await signedIn(auth, await auth.person())
  const thief = browser(other, own.jar)
  await clock.advance(870)
  await own.send('POST /refresh')
  thief.jar.set(ACCESS, own.jar.get(ACCESS) ?? '')
  await clock.advance(31)
  isProblem(t, await thief.peek('POST /refresh'), 'invalid_token')
  t.equal((await sessionOf(database, own.jar.get(REFRESH) ?? '')).end_reason, 'reuse')
  isProblem(t, await own.send('GET /me'), 'invalid_token')
})

t.test('a logout beside a renewal ends the session, whichever comes first', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const ada = await auth.person()
    const own = await signedIn(auth, ada)
    await clock.advance(900)
    const late = tab(own)
    const [out, renewed] = await Promise.all([own.peek('POST /logout'), late.peek('POST /refresh')])
    t.equal(out.status, 204)
    t.match(renewed.status, /^(200|401)$/)
    t.equal((await sessionOf(database, own.jar.get(REFRESH) ?? '')).end_reason, 'logout')
    // The answer of the renewal comes last, and the browser keeps its cookies.
    own.take(out)
    own.take(renewed)
    isProblem(t, await own.send('GET /me'), own.jar.has(ACCESS) ? 'invalid_token' : 'missing_token')
    isProblem(t, await own.send('POST /refresh'), own.jar.has(REFRESH) ? 'invalid_token' : 'missing_token')
  }
})

t.test('a session ends at SESSION_MAX_AGE, however often its cookies are renewed', async (t) => {
  const strict = await startAuth(t, { env: { ...env, SESSION_MAX_AGE: '1h' }, now: clock.now })
  const own = await signedIn(strict, await auth.person())
  const refreshed: number[] = []
  for (let i = 0; i < 5; i += 1) {
    await clock.advance(880)
    const answer = await own.send('POST /refresh')
    refreshed.push(answer.status)
    const [, refresh] = setCookies(answer)
    if (refresh) between(t, Number(refresh.maxAge), { least: 3600 - (i + 1) * 880 - 10, most: 3600 - (i + 1) * 880 })
  }
  t.strictSame(refreshed, [200, 200, 200, 200, 401])
})

t.test('with REFRESH_TOKEN_ROTATION=off the refresh cookie stays the same', async (t) => {
  const plain = await startAuth(t, { env: { ...env, REFRESH_TOKEN_ROTATION: 'off' }, now: clock.now })
  const own = await signedIn(plain, await auth.person())
  const before = own.jar.get(REFRESH)
  isProblem(t, await own.send('POST /refresh'), 'renewal_too_early')
  await clock.advance(870)
  t.equal((await own.send('POST /refresh')).status, 200)
  t.equal(own.jar.get(REFRESH), before)
})

t.test('what is too early changes nothing in the database', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  const before = await everythingOf(database, ada.id)
  isProblem(t, await own.send('POST /refresh'), 'renewal_too_early')
  t.strictSame(await everythingOf(database, ada.id), before)
})
