import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { grantRole } from '../src/administration/actions.ts'
import { ISSUER, type Person, startAuth } from './app.ts'
import { everythingOf } from './sessions.ts'
import { claimsOf, resign } from './tokens.ts'

const ALL = ['greeter', 'https://chat.example.com/x?a=b&c']
const auth = await startAuth(t, { env: { AUDIENCE: ALL.join(', ') } })
const { send, database, operator } = auth

const audienceOf = ({ body }: { body: { access_token: string } }) => claimsOf(body.access_token)['aud']
const login = ({ email, password }: Person, more: object = {}) =>
  send('POST /login', { body: { email, password, ...more } })

/** The ways to ask for a resource at the refresh route; nothing asks for none. */
const REFRESHES: Record<string, (token: string, resource?: unknown) => ReturnType<typeof send>> = {
  'GET with a query': (token, resource) => send(`GET /refresh-token${query(resource)}`, { token }),
  'POST with a query': (token, resource) => send(`POST /refresh-token${query(resource)}`, { token }),
  'POST with a body': (token, resource) => send('POST /refresh-token', { token, body: { resource } })
}

function query(resource: unknown): string {
  return resource === undefined ? '' : `?resource=${encodeURIComponent(String(resource))}`
}

t.test('without resource an access token is for the whole AUDIENCE', async (t) => {
  const ada = await auth.person()
  t.strictSame(audienceOf(await login(ada)), ALL)
  for (const [how, refresh] of Object.entries(REFRESHES)) {
    t.strictSame(audienceOf(await refresh(ada.refresh_token)), ALL, how)
  }
  const one = await startAuth(t, { env: { AUDIENCE: 'greeter', DATABASE_URL: auth.config.DATABASE_URL } })
  t.equal(audienceOf(await one.send('POST /login', { body: { email: ada.email, password: ada.password } })), 'greeter')
})

t.test('with resource it is for that service alone, and the refresh token is the same', async (t) => {
  const ada = await auth.person()
  for (const resource of [ISSUER, ...ALL]) {
    const answer = await login(ada, { resource })
    t.equal(answer.status, 200, resource)
    t.equal(audienceOf(answer), resource, 'login')
    t.equal(claimsOf(answer.body.refresh_token)['aud'], ISSUER)
    for (const [how, refresh] of Object.entries(REFRESHES)) {
      const refreshed = await refresh(ada.refresh_token, resource)
      t.equal(audienceOf(refreshed), resource, how)
      t.equal(refreshed.body.refresh_token, (await refresh(ada.refresh_token)).body.refresh_token, 'the same bytes')
    }
  }
})

t.test('the next refresh may ask for another resource', async (t) => {
  const ada = await auth.person()
  let token = ada.refresh_token
  for (const resource of [ISSUER, undefined, 'greeter', ISSUER]) {
    const { body } = await send(`GET /refresh-token${query(resource)}`, { token })
    t.strictSame(claimsOf(body.access_token)['aud'], resource ?? ALL)
    token = body.refresh_token
  }
})

t.test('any other resource is refused, and nothing is spent', async (t) => {
  const ada = await auth.person()
  const before = await everythingOf(database, ada.id)
  const [greeter = '', chat = ''] = ALL
  const strangers = [
    '',
    ' ',
    'latchkey',
    'GREETER',
    ` ${greeter}`,
    `${greeter} `,
    `${greeter},${chat}`,
    chat.slice(0, -1),
    `${ISSUER}/`,
    ISSUER.toUpperCase(),
    'x'.repeat(10_000)
  ]
  for (const resource of strangers) {
    isProblem(t, await login(ada, { resource }), 'invalid_input', ['resource'], resource.slice(0, 50))
    for (const [how, refresh] of Object.entries(REFRESHES)) {
      isProblem(t, await refresh(ada.refresh_token, resource), 'invalid_input', ['resource'], how)
    }
  }
  for (const resource of [null, 1, true, [], [greeter], [greeter, greeter], ALL, { 0: greeter }]) {
    const answer = await login(ada, { resource })
    t.match(answer, { status: 400, body: { code: 'invalid_input' } }, JSON.stringify(resource))
    const refreshed = await send('POST /refresh-token', { token: ada.refresh_token, body: { resource } })
    t.match(refreshed, { status: 400, body: { code: 'invalid_input' } }, JSON.stringify(resource))
  }
  t.strictSame(await everythingOf(database, ada.id), before)
})

t.test('a resource that is given twice is refused, wherever the second one stands', async (t) => {
  const { refresh_token: token, ...ada } = await auth.person()
  const before = await everythingOf(database, ada.id)
  const [greeter = ''] = ALL
  const twice = [
    'GET /refresh-token?resource=greeter&resource=greeter',
    'POST /refresh-token?resource=greeter&resource=greeter',
    `GET /refresh-token?resource=greeter&resource=${encodeURIComponent(ISSUER)}`,
    'GET /refresh-token?resource=greeter&resource=',
    'GET /refresh-token?resource=&resource='
  ]
  const asArray = ['GET /refresh-token?resource[]=greeter', 'GET /refresh-token?resource%5B0%5D=greeter']
  for (const line of [...twice, ...asArray]) {
    const body = { code: 'invalid_input', errors: [{ field: /^resource/ }] }
    t.match(await send(line, { token }), { status: 400, body }, line)
  }
  for (const resource of [greeter, ISSUER, '']) {
    const answer = await send('POST /refresh-token?resource=greeter', { token, body: { resource } })
    isProblem(t, answer, 'invalid_input', ['resource'], `in query and body: ${resource}`)
  }
  const doubled = '{"resource": "greeter", "resource": "greeter"}'
  isProblem(t, await send('POST /refresh-token', { token, body: doubled }), 'invalid_input', ['body'])
  const { email, password } = ada
  const elsewhere = await send('POST /login?resource=greeter', { body: { email, password } })
  isProblem(t, elsewhere, 'invalid_input', ['resource'], 'the query of a login says nothing')
  t.strictSame(await everythingOf(database, ada.id), before)
})

t.test('a body of a refresh is resource alone, and may be left out', async (t) => {
  const { refresh_token: token } = await auth.person()
  const refresh = (body: unknown, headers = {}) => send('POST /refresh-token', { token, body, headers })
  for (const body of [undefined, '', {}]) t.equal((await refresh(body)).status, 200, JSON.stringify(body))
  isProblem(t, await refresh({ resources: 'greeter' }), 'invalid_input', ['resources'])
  for (const body of [[], [{ resource: 'greeter' }], 'x', '"greeter"', '1', 'true'])
    isProblem(t, await refresh(body), 'invalid_input', ['body'], JSON.stringify(body))
})

const LINES = (id: string) => [
  'GET /users',
  'GET /audit-log',
  `PUT /users/${id}/roles`,
  ...['disable', 'enable', 'end-sessions'].map((what) => `POST /users/${id}/${what}`),
  `DELETE /users/${id}`
]

t.test('administration takes only access tokens for the issuer alone, and says how to get one', async (t) => {
  const [root, ada] = [await auth.person(), await auth.person()]
  await grantRole(operator, { id: root.id }, 'admin')
  const before = await everythingOf(database, ada.id)
  const own = (await login(root, { resource: ISSUER })).body.access_token
  const key = auth.keys.access.current
  const others = {
    'for the whole AUDIENCE': (await login(root)).body.access_token,
    'for one of it': (await login(root, { resource: 'greeter' })).body.access_token,
    'for the issuer and others': await resign(own, key, { claims: { aud: [ISSUER, 'greeter'] } })
  }
  for (const line of LINES(ada.id)) {
    for (const [name, token] of Object.entries(others)) {
      const answer = await send(line, { token, ...(line.startsWith('PUT') && { body: { roles: ['admin'] } }) })
      isProblem(t, answer, 'insufficient_scope', [], `${line} ${name}`)
      t.match(answer.body.detail, /\bresource\b/)
      t.match(answer.body.detail, ISSUER)
    }
  }
  t.strictSame(await everythingOf(database, ada.id), before)
  t.equal((await send('GET /users', { token: own })).status, 200)
  t.equal((await send(`POST /users/${ada.id}/disable`, { token: own })).status, 200)
})

t.test('who lacks the right is told nothing of resource, for that would not help', async (t) => {
  const ada = await auth.person()
  const own = (await login(ada, { resource: ISSUER })).body.access_token
  for (const token of [ada.access_token, own]) {
    const answer = await send('GET /users', { token })
    isProblem(t, answer, 'insufficient_scope')
    t.notMatch(answer.body.detail, /resource/)
  }
})

t.test('the routes of the own account take tokens for the issuer and for any of AUDIENCE', async (t) => {
  const ada = await auth.person()
  for (const resource of [ISSUER, ...ALL, undefined]) {
    const token = (await login(ada, { resource })).body.access_token
    t.equal((await send('GET /me', { token })).status, 200, String(resource))
    t.equal((await send('GET /sessions', { token })).status, 200)
    t.equal((await send('PUT /update-username', { token, body: { username: 'Ada' } })).status, 200)
    t.equal((await send('POST /logout-everywhere', { token })).status, 204)
  }
  const { access_token } = await auth.login(ada)
  for (const aud of ['latchkey', [], ['latchkey', 'x'], `${ISSUER}/`]) {
    const token = await resign(access_token, auth.keys.access.current, { claims: { aud } })
    isProblem(t, await send('GET /me', { token }), 'invalid_token', [], JSON.stringify(aud))
  }
})

t.test('a password change gives an access token for whom the shown one was', async (t) => {
  const ada = await auth.person()
  let { password } = ada
  for (const resource of [ISSUER, 'greeter', undefined]) {
    const { access_token: token } = (await login({ ...ada, password }, { resource })).body
    const new_password = `${password} and on`
    const answer = await send('POST /change-password', { token, body: { current_password: password, new_password } })
    t.equal(answer.status, 200)
    t.strictSame(audienceOf(answer), resource ?? ALL)
    t.equal(claimsOf(answer.body.refresh_token)['aud'], ISSUER)
    password = new_password
  }
})

t.test('a refresh token is no access token, though both may be for the issuer', async (t) => {
  const ada = await auth.person()
  const { access_token, refresh_token } = (await login(ada, { resource: ISSUER })).body
  isProblem(t, await send('GET /me', { token: refresh_token }), 'invalid_token')
  isProblem(t, await send('POST /refresh-token', { token: access_token }), 'invalid_token')
  isProblem(t, await send('POST /logout', { token: access_token }), 'invalid_token')
})
