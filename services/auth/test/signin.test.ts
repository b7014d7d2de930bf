import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { PASSWORD, startAuth } from './app.ts'
import { ACCESS, browser, REFRESH, setCookies, signedIn } from './cookie-jar.ts'
import { everythingOf, liveSessions, sessionOf } from './sessions.ts'
import { claimsOf } from './tokens.ts'

const auth = await startAuth(t, { env: { AUDIENCE: 'latchkey,chat' } })
const { send, database } = auth
const ATTRIBUTES = { path: '/', httpOnly: true, secure: true }

t.test('a sign-in sets both cookies for as long as their tokens live, and shows no token', async (t) => {
  const { email, password } = await auth.person({ username: 'Grace' })
  const answer = await send('POST /signin', { body: { email, password } })
  t.equal(answer.status, 200)
  t.strictSame(answer.body, { username: 'Grace', expires_in: 900 })
  t.equal(answer.headers['cache-control'], 'no-store')
  const [access, refresh, ...more] = setCookies(answer)
  t.strictSame(more, [])
  t.match(access, { ...ATTRIBUTES, name: ACCESS, sameSite: 'lax', maxAge: 900 })
  t.match(refresh, { ...ATTRIBUTES, name: REFRESH, sameSite: 'strict', maxAge: 2_592_000 })
  for (const cookie of [access, refresh]) t.notMatch(Object.keys(cookie ?? {}), ['domain'])
  for (const cookie of [access, refresh]) t.equal(cookie?.expires, undefined, 'clocks of clients differ')
  t.strictSame(claimsOf(access?.value ?? '')['aud'], ['latchkey', 'chat'], 'for every resource service')
  t.equal(claimsOf(refresh?.value ?? '')['token_use'], 'refresh')
})

t.test(
  'over http the cookies have no prefix and are not Secure; COOKIE_DOMAIN is for the access cookie alone',
  async (t) => {
    for (const [env, access, refresh] of [
      [{ ISSUER: 'http://127.0.0.1:9090' }, { name: 'token', secure: undefined }, { name: 'refresh_token' }],
      [
        { ISSUER: 'https://auth.example.com', COOKIE_DOMAIN: 'example.com' },
        { name: '__Secure-token', secure: true, domain: 'example.com', httpOnly: true, path: '/' },
        { name: REFRESH, secure: true, domain: undefined, httpOnly: true, path: '/' }
      ]
    ] as const) {
      const own = await startAuth(t, { env: { ...env, DATABASE_URL: auth.config.DATABASE_URL } })
      const { email, password } = await auth.person()
      const cookies = setCookies(await own.send('POST /signin', { body: { email, password } }))
      for (const [i, expected] of [access, refresh].entries()) {
        for (const [name, value] of Object.entries(expected)) {
          t.equal(Object(cookies[i])[name], value, `${expected.name}: ${name}`)
        }
      }
    }
  }
)

t.test('a refused sign-in sets no cookie, and says what /login says', async (t) => {
  const { email, password, id } = await auth.person()
  const attempt = (body: object) => send('POST /signin', { body })
  for (const [answer, code, fields] of [
    [await attempt({ email, password: 'not the password' }), 'invalid_credentials', []],
    [await attempt({ email: 'nobody@example.com', password }), 'invalid_credentials', []],
    [await attempt({ email }), 'invalid_input', ['password']],
    [await attempt({ email, password, resource: 'latchkey' }), 'invalid_input', ['resource']]
  ] as const) {
    isProblem(t, answer, code, fields)
    t.strictSame(setCookies(answer), [])
  }
  await database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [id])
  isProblem(t, await attempt({ email, password }), 'account_disabled')
})

t.test('with REQUIRE_VERIFIED_EMAIL an unverified account is told so after the right password alone', async (t) => {
  const env = { REQUIRE_VERIFIED_EMAIL: 'on', NODE_ENV: 'development', DATABASE_URL: auth.config.DATABASE_URL }
  const { email, password } = await auth.person()
  const strict = await startAuth(t, { env })
  isProblem(t, await strict.send('POST /signin', { body: { email, password } }), 'email_unverified')
  isProblem(t, await strict.send('POST /signin', { body: { email, password: 'wrong' } }), 'invalid_credentials')
})

t.test('the browser that signs in again leaves its earlier session behind, and only that one', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  const earlier = own.jar.get(REFRESH) ?? ''
  await own.send('POST /signin', { body: { email: ada.email, password: ada.password } })
  t.equal((await sessionOf(database, earlier)).end_reason, 'replaced')
  const { sid } = claimsOf(own.jar.get(REFRESH) ?? '')
  t.match(
    auth.lines.findLast(({ event }) => event === 'session_replaced'),
    { session: claimsOf(earlier)['sid'], by: sid }
  )
  t.equal(await liveSessions(database, ada.id), 2, 'that of /login, and the new one')
  t.equal((await own.send('GET /me')).status, 200)
})

t.test(
  'so does one where somebody else signs in, and one whose refresh cookie has expired or was superseded',
  async (t) => {
    const [ada, eve] = [await auth.person(), await auth.person()]
    const own = await signedIn(auth, ada)
    const first = own.jar.get(REFRESH) ?? ''
    own.jar.delete(ACCESS)
    await own.send('POST /refresh')
    own.jar.set(REFRESH, first)
    await own.send('POST /signin', { body: { email: eve.email, password: eve.password } })
    t.equal((await sessionOf(database, first)).end_reason, 'replaced')
    t.match((await own.send('GET /me')).body, { id: eve.id })
  }
)

t.test('a forged or stale refresh cookie ends nothing, and hinders nobody', async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  const before = await everythingOf(database, ada.id)
  for (const value of ['nonsense', ada.access_token, `${ada.refresh_token.slice(0, -8)}AAAAAAAA`, '"']) {
    const own = browser(auth, [[REFRESH, value]])
    t.equal((await own.send('POST /signin', { body: { email: eve.email, password: eve.password } })).status, 200)
  }
  t.strictSame(await everythingOf(database, ada.id), before)

  const body = { current_password: PASSWORD, new_password: 'a louder harbour at noon' }
  await send('POST /change-password', { token: ada.access_token, body })
  const stale = browser(auth, [[REFRESH, ada.refresh_token]])
  await stale.send('POST /signin', { body: { email: eve.email, password: eve.password } })
  t.equal((await sessionOf(database, ada.refresh_token)).end_reason, 'password_changed')
  t.equal(await liveSessions(database, ada.id), 1, 'the session after the change lives on')
})

t.test('two refresh cookies are refused, and two access cookies do not matter', async (t) => {
  const { email, password } = await auth.person()
  const attempt = (cookie: string | string[]) =>
    send('POST /signin', { body: { email, password }, headers: { cookie } })
  isProblem(t, await attempt(`${REFRESH}=a; x=1; ${REFRESH}=b`), 'invalid_request')
  t.equal((await attempt(`${ACCESS}=a; ${ACCESS}=b; refresh_token=c; refresh_token=d`)).status, 200)
})

t.test('strangers cannot lock out the browser that was signed in before, nor one with an expired cookie', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  for (let i = 0; i < 12; i += 1) await send('POST /signin', { body: { email: ada.email, password: 'wrong' } })
  const body = { email: ada.email, password: ada.password }
  isProblem(t, await send('POST /signin', { body }), 'too_many_requests')
  isProblem(t, await send('POST /login', { body }), 'too_many_requests', [], 'both doors count together')
  t.equal((await own.send('POST /signin', { body })).status, 200)
})

t.test('a sign-in counts among the requests of its address', async (t) => {
  const own = await startAuth(t, { env: { RATE_LIMIT_PER_MINUTE: '2', DATABASE_URL: auth.config.DATABASE_URL } })
  const { email, password } = await auth.person()
  const attempt = () => own.send('POST /signin', { body: { email, password } })
  t.strictSame([(await attempt()).status, (await attempt()).status], [200, 200])
  isProblem(t, await attempt(), 'too_many_requests')
})

t.test(
  'a token that no browser would keep is refused with what to do in the log, not dropped in silence',
  async (t) => {
    const AUDIENCE = Array.from({ length: 60 }, (_, i) => `https://service-${i}.of-a-long-name.example.com`).join()
    const own = await startAuth(t, { env: { AUDIENCE, DATABASE_URL: auth.config.DATABASE_URL } })
    const { email, password } = await auth.person()
    const answer = await own.send('POST /signin', { body: { email, password } })
    isProblem(t, answer, 'internal_error')
    t.strictSame(setCookies(answer), [])
    t.match(
      own.lines.find(({ event }) => event === 'failed')?.msg,
      /cookie __Host-token has \d{4} bytes.*shorten AUDIENCE/
    )
  }
)
