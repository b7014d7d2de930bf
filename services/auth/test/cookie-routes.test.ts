import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { ISSUER, PASSWORD, startAuth } from './app.ts'
import { ACCESS, type Browser, browser, REFRESH, setCookies, signedIn } from './cookie-jar.ts'
import { liveSessions, sessionOf } from './sessions.ts'
import { claimsOf, resign } from './tokens.ts'

const LISTED = 'https://app.example.com'
const auth = await startAuth(t, { env: { CORS_ORIGINS: LISTED } })
const { send, database } = auth
const NEW = 'a louder harbour at noon'

const cookies = ({ jar }: Browser) => [...jar].map((pair) => pair.join('=')).join('; ')
const sidOf = ({ jar }: Browser) => String(claimsOf(jar.get(REFRESH) ?? '')['sid'])

/** Every route that goes by the access cookie, with a body that succeeds or is refused only after the guard. */
const ACCOUNT: Record<string, { body?: object; status: number }> = {
  'GET /me': { status: 200 },
  'GET /me/activity': { status: 200 },
  'GET /sessions': { status: 200 },
  'DELETE /sessions/00000000-0000-4000-8000-000000000000': { status: 404 },
  'PUT /update-username': { body: { username: 'Grace' }, status: 200 },
  'PUT /update-email': { body: { email: 'new@example.com', current_password: 'wrong' }, status: 401 },
  'POST /change-password': { body: { current_password: PASSWORD, new_password: NEW }, status: 200 },
  'POST /logout-everywhere': { status: 204 },
  'DELETE /me': { body: { current_password: 'wrong' }, status: 401 }
}

for (const [line, { body, status }] of Object.entries(ACCOUNT)) {
  t.test(
    `${line} goes by the access cookie, and is refused without it, twice it, or with another in its place`,
    async (t) => {
      const ada = await auth.person()
      const own = await signedIn(auth, ada)
      const [access = '', refresh = ''] = [own.jar.get(ACCESS), own.jar.get(REFRESH)]
      const by = (cookie: string) => send(line, { body, headers: { cookie } })
      for (const [cookie, code] of [
        [`${REFRESH}=${refresh}`, 'missing_token'],
        [`token=${access}; __Secure-token=${access}`, 'missing_token'],
        [`${ACCESS}=${access}; ${ACCESS}=${access}`, 'invalid_request'],
        [`${ACCESS}=evil; ${ACCESS}=${access}`, 'invalid_request'],
        [`${ACCESS}=${refresh}`, 'invalid_token'],
        [`${ACCESS}=${'a'.repeat(9000)}`, 'invalid_token'],
        [`${ACCESS}="${access}"`, 'invalid_token']
      ] as const) {
        const answer = await by(cookie)
        isProblem(t, answer, code, [], cookie.slice(0, 60))
        t.strictSame(setCookies(answer), [])
      }
      t.equal((await own.send(line, { body })).status, status)
    }
  )
}

t.test('a cookie never opens administration, whatever it holds', async (t) => {
  const ada = await auth.person()
  await database.query("UPDATE users SET roles = '{user,admin}' WHERE id = $1", [ada.id])
  const own = await signedIn(auth, ada)
  own.jar.set(ACCESS, await resign(own.jar.get(ACCESS) ?? '', auth.keys.access.current, { claims: { aud: ISSUER } }))
  t.equal((await own.send('GET /me')).status, 200)
  const id = ada.id
  for (const line of [
    'GET /users',
    'GET /audit-log',
    `DELETE /users/${id}`,
    `PUT /users/${id}/roles`,
    `POST /users/${id}/disable`
  ]) {
    const body = line.startsWith('PUT') ? { roles: ['user'] } : undefined
    isProblem(t, await own.send(line, { body }), 'missing_token', [], line)
  }
  isProblem(t, await own.send('POST /refresh-token'), 'missing_token')
})

t.test('an Authorization header alone counts: the cookie beside it is not looked at', async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  const own = await signedIn(auth, ada)
  t.match((await own.send('GET /me', { token: eve.access_token })).body, { id: eve.id })
  isProblem(t, await own.send('GET /me', { token: 'nonsense' }), 'invalid_token')
  isProblem(t, await own.send('GET /me', { headers: { authorization: 'Basic YTpi' } }), 'missing_token')
  isProblem(t, await own.send('POST /logout', { headers: { authorization: 'Basic YTpi' } }), 'missing_token')
  const cookie = `${ACCESS}=a; ${ACCESS}=b`
  t.equal((await send('GET /me', { token: eve.access_token, headers: { cookie } })).status, 200)

  const out = await own.send('POST /logout', { token: eve.refresh_token })
  t.strictSame([out.status, setCookies(out)], [204, []])
  t.equal(await liveSessions(database, eve.id), 0)
  t.equal((await own.send('GET /me')).status, 200, 'the session of the cookies lives on')
})

/** Each route that changes something and goes by cookie; with `own` and a site that may, it gets as far as this. */
const CHANGES: Record<string, { body?: object; status: number }> = {
  ...Object.fromEntries(Object.entries(ACCOUNT).filter(([line]) => !line.startsWith('GET'))),
  'POST /signin': { body: { email: 'nobody@example.com', password: PASSWORD }, status: 401 },
  'POST /verify-email': { body: { email: 'nobody@example.com', code: '0'.repeat(26) }, status: 400 },
  'POST /refresh': { status: 400 },
  'POST /logout': { status: 204 }
}

const OWN = { origin: ISSUER, host: 'auth.example.com' }
const FOREIGN: Record<string, Record<string, string>> = {
  'a sibling host': { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' },
  'another port': { 'sec-fetch-site': 'same-site', origin: `${ISSUER}:8443` },
  'another site': { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  'a sandboxed frame': { 'sec-fetch-site': 'cross-site', origin: 'null' },
  'an old browser on another site': { origin: 'https://evil.example' },
  'an old browser that hides its origin': { origin: 'null' }
}
const OURS: Record<string, Record<string, string>> = {
  'a page of ours': { 'sec-fetch-site': 'same-origin', ...OWN },
  'a page of ours without a referrer': { 'sec-fetch-site': 'same-origin', origin: 'null' },
  'a listed page': { 'sec-fetch-site': 'cross-site', origin: LISTED },
  'an old browser on a page of ours': OWN,
  'no browser': {}
}

for (const [line, { body, status }] of Object.entries(CHANGES)) {
  t.test(`${line} is refused from another site, before its cookies and its body are looked at`, async (t) => {
    const ada = await auth.person()
    for (const [about, headers] of Object.entries(FOREIGN)) {
      const own = await signedIn(auth, ada)
      const double = { cookie: `${ACCESS}=a; ${ACCESS}=b; ${REFRESH}=a; ${REFRESH}=b` }
      for (const sending of [
        { body, headers: { cookie: cookies(own), ...headers } },
        { body: '{', headers: { ...double, ...headers } },
        { body: 'email=a', headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' } }
      ]) {
        const answer = await send(line, sending)
        isProblem(t, answer, 'cross_site', [], about)
        t.strictSame(setCookies(answer), [], about)
      }
      t.equal((await sessionOf(database, own.jar.get(REFRESH) ?? '')).ended_at, null, `${about}: the session lives`)
    }
    for (const [about, headers] of Object.entries(OURS)) {
      const { email } = await auth.person()
      const own = await signedIn(auth, { email, password: PASSWORD })
      t.equal((await send(line, { body, headers: { cookie: cookies(own), ...headers } })).status, status, about)
    }
  })
}

t.test('the rule is not asked of GET, nor of requests with a bearer token', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  for (const headers of Object.values(FOREIGN)) {
    t.equal((await send('GET /me', { headers: { cookie: cookies(own), ...headers } })).status, 200)
    const body = { username: 'Grace' }
    t.equal((await send('PUT /update-username', { token: ada.access_token, body, headers })).status, 200)
  }
})

t.test('a password that browsers add to every request is no way around the rule', async (t) => {
  const own = await signedIn(auth, await auth.person())
  const headers = { cookie: cookies(own), authorization: 'Basic YTpi', ...FOREIGN['another site'] }
  isProblem(t, await send('POST /refresh', { headers }), 'cross_site')
  isProblem(t, await send('POST /signin', { body: {}, headers }), 'cross_site')
  isProblem(t, await send('POST /logout-everywhere', { headers }), 'missing_token')
  isProblem(t, await send('POST /logout', { headers }), 'missing_token')
})

t.test('a changed password gives the caller new cookies, and no token in the body', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  const before = browser(auth, own.jar)
  const answer = await own.send('POST /change-password', { body: { current_password: PASSWORD, new_password: NEW } })
  t.strictSame([answer.status, answer.body], [200, { username: ada.username, expires_in: 900 }])
  t.strictSame(
    setCookies(answer).map(({ name, maxAge }) => [name, maxAge]),
    [
      [ACCESS, 900],
      [REFRESH, 2_592_000]
    ]
  )
  t.equal((await own.send('GET /me')).status, 200)
  isProblem(t, await before.peek('GET /me'), 'invalid_token')
  isProblem(t, await before.peek('POST /refresh'), 'invalid_token')
  const refused = await own.send('POST /change-password', { body: { current_password: 'wrong', new_password: NEW } })
  isProblem(t, refused, 'invalid_credentials')
  t.strictSame(setCookies(refused), [])
})

/** What clears a cookie of ours: the name, and each attribute with which it was set. */
const CLEARED = [
  { name: ACCESS, value: '', maxAge: 0, path: '/', httpOnly: true, secure: true, sameSite: 'lax' },
  { name: REFRESH, value: '', maxAge: 0, path: '/', httpOnly: true, secure: true, sameSite: 'strict' }
]

t.test('a logout ends the session at the server and clears both cookies, also the second time', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  const copy = browser(auth, own.jar)
  const answer = await own.send('POST /logout')
  t.strictSame([answer.status, answer.body], [204, ''])
  t.strictSame(
    setCookies(answer).map((cookie) => ({ ...cookie })),
    CLEARED
  )
  t.equal(own.jar.size, 0)
  t.equal((await sessionOf(database, copy.jar.get(REFRESH) ?? '')).end_reason, 'logout')
  isProblem(t, await copy.peek('GET /me'), 'invalid_token', [], 'who copied the cookies before is out too')
  isProblem(t, await copy.peek('POST /refresh'), 'invalid_token')
  t.equal((await copy.send('POST /logout')).status, 204)
  t.equal(copy.jar.size, 0)
})

t.test('a logout without cookies, or with ones that are not genuine, is 204 and clears them', async (t) => {
  const ada = await auth.person()
  for (const cookie of ['', `${REFRESH}=nonsense`, `${REFRESH}=${ada.access_token}`, `${ACCESS}=a; ${ACCESS}=b`]) {
    const answer = await send('POST /logout', { headers: { cookie } })
    t.equal(answer.status, 204, cookie.slice(0, 30))
    t.equal(setCookies(answer).length, 2)
  }
  const own = await signedIn(auth, ada)
  const [first] = [own.jar.get(REFRESH) ?? '']
  const expired = await resign(first, auth.keys.refresh.current, { claims: { iat: 1_600_000_000, exp: 1_600_000_900 } })
  t.equal((await send('POST /logout', { headers: { cookie: `${REFRESH}=${expired}` } })).status, 204)
  t.equal((await sessionOf(database, first)).end_reason, 'logout', 'an expired one ends its session')
  const twice = await send('POST /logout', { headers: { cookie: `${REFRESH}=${first}; ${REFRESH}=${first}` } })
  isProblem(t, twice, 'invalid_request')
})

t.test('a superseded refresh cookie logs out too', async (t) => {
  const own = await signedIn(auth, await auth.person())
  const copy = browser(auth, own.jar)
  own.jar.delete(ACCESS)
  await own.send('POST /refresh')
  t.equal((await copy.send('POST /logout')).status, 204)
  isProblem(t, await own.send('GET /me'), 'invalid_token')
})

t.test('a logout everywhere and a deleted account clear the cookies of a caller by cookie alone', async (t) => {
  const ada = await auth.person()
  const body = { current_password: PASSWORD }
  const own = await signedIn(auth, ada)
  t.strictSame(
    setCookies(await own.send('POST /logout-everywhere')).map((cookie) => ({ ...cookie })),
    CLEARED
  )
  const again = await signedIn(auth, ada)
  t.equal((await again.send('DELETE /me', { body })).status, 204)
  t.equal(again.jar.size, 0)
  const eve = await auth.person()
  t.strictSame(setCookies(await send('POST /logout-everywhere', { token: eve.access_token })), [])
  const { access_token: token } = await auth.login(eve)
  t.strictSame(setCookies(await send('DELETE /me', { token, body })), [])
})

t.test('a session that is ended elsewhere leaves the cookies to the browser, which is told 401', async (t) => {
  const ada = await auth.person()
  const own = await signedIn(auth, ada)
  t.equal((await send(`DELETE /sessions/${sidOf(own)}`, { token: ada.access_token })).status, 204)
  const answer = await own.send('GET /sessions')
  isProblem(t, answer, 'invalid_token')
  t.strictSame(setCookies(answer), [])
  t.equal(own.jar.size, 2)
})

t.test('a listed page may send cookies and read answers; others may not', async (t) => {
  const own = await signedIn(auth, await auth.person())
  const seen = async (origin: string) => {
    const { headers } = await own.send('GET /me', { headers: { origin, 'sec-fetch-site': 'same-site' } })
    return [headers['access-control-allow-origin'], headers['access-control-allow-credentials'], headers['vary']]
  }
  t.strictSame(await seen(LISTED), [LISTED, 'true', 'Origin'])
  t.strictSame((await seen('https://evil.example'))[0], undefined)
  t.match((await seen('https://evil.example'))[2], /Origin/)
})
