import { join } from 'node:path'
import { isProblem } from '@latchkey/testing/problem'
import { makeKey } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { bearer, type Resource, startResource } from './app.ts'

const [ours, stranger] = await Promise.all([makeKey(), makeKey()])

function start(t: Test): Promise<Resource> {
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [ours.jwk] }) })
  return startResource(t, { JWKS_FILE: join(dir, 'jwks.json') })
}

const IDENTITY = ['x-user-id', 'x-user-name', 'x-user-roles', 'x-session-id']

t.test('GET /gate answers 204 with who the user is', async (t) => {
  const { send } = await start(t)
  const sub = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
  const sid = '0b8f8c1e-6f0a-4f43-9d2c-5ad3c6f0b9a1'
  const roles = ['user', 'editor']
  const { status, headers, body } = await send(
    'GET /gate',
    bearer(ours, { sub, sid, roles, preferred_username: 'Ada' })
  )
  t.same({ status, body }, { status: 204, body: '' })
  t.match(headers, {
    'x-user-id': sub,
    'x-user-name': 'Ada',
    'x-user-roles': 'user,editor',
    'x-session-id': sid,
    'cache-control': 'no-store'
  })
})

const NAMES = ['Zoë Müller', '\u{1F511}', 'a\r\nX-User-Roles: admin', '%41', 'admin,root', '\u202eecarG', '\0']

t.test('a name comes out of its header as it stands in the token, whatever its letters', async (t) => {
  const { send } = await start(t)
  for (const preferred_username of NAMES) {
    const { status, headers } = await send('GET /gate', bearer(ours, { preferred_username }))
    t.equal(status, 204)
    t.match(headers['x-user-name'], /^[!-~]*$/)
    t.equal(decodeURIComponent(headers['x-user-name'] ?? ''), preferred_username)
  }
})

t.test('half of a surrogate pair in a name does no harm', async (t) => {
  const { send } = await start(t)
  const { status, headers } = await send('GET /gate', bearer(ours, { preferred_username: 'a\ud800b' }))
  t.same({ status, name: headers['x-user-name'] }, { status: 204, name: 'a%EF%BF%BDb' })
})

t.test('a role with a comma in it stays one role', async (t) => {
  const { send } = await start(t)
  const { headers } = await send('GET /gate', bearer(ours, { roles: ['user', 'x,admin', 'ü\n'] }))
  t.equal(headers['x-user-roles'], 'user,x%2Cadmin,%C3%BC%0A')
})

t.test('all four headers are there also when there is nothing to say', async (t) => {
  const { send } = await start(t)
  const { status, headers } = await send('GET /gate', bearer(ours, { roles: [] }))
  t.equal(status, 204)
  t.equal(headers['x-user-roles'], '')
  t.same(
    IDENTITY.filter((name) => headers[name] === undefined),
    []
  )
})

t.test('with a role, users without it get 403, and nobody is told who they are', async (t) => {
  const { send } = await start(t)
  const roles = ['user', 'editor']
  t.equal((await send('GET /gate?role=editor', bearer(ours, { roles }))).status, 204)
  for (const role of ['admin', 'edit', 'Editor', 'editors', 'user,editor', '%20editor', 'toString', '__proto__']) {
    const refused = await send(`GET /gate?role=${role}`, bearer(ours, { roles }))
    isProblem(t, refused, 'insufficient_scope', [], role)
    t.same(
      IDENTITY.filter((name) => name in refused.headers),
      [],
      role
    )
  }
})

t.test('a role that a gateway has left empty, or given twice, lets nobody through', async (t) => {
  const { send } = await start(t)
  for (const query of ['role=', 'role=admin&role=user', 'role[]=user']) {
    const refused = await send(`GET /gate?${query}`, bearer(ours, { roles: ['user'] }))
    t.equal(refused.status, 400, query)
    t.equal(refused.body.code, 'invalid_input', query)
  }
})

t.test('without a good token nobody gets through, and the answer says why', async (t) => {
  const { send } = await start(t)
  const ago = Math.floor(Date.now() / 1000) - 3600
  isProblem(t, await send('GET /gate'), 'missing_token')
  isProblem(t, await send('GET /gate', bearer(stranger)), 'invalid_token')
  isProblem(t, await send('GET /gate', bearer(ours, { aud: 'others' })), 'invalid_token')
  isProblem(t, await send('GET /gate?role=user', bearer(ours, { iat: ago, exp: ago + 900 })), 'token_expired')
})
