import { randomUUID } from 'node:crypto'
import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { customKey } from '../src/sessions/custom-key.ts'
import { startAuth } from './app.ts'
import { testKeys } from './keys.ts'
import { ENDINGS, everythingOf, sessionOf } from './sessions.ts'
import { claimsOf, resign } from './tokens.ts'

const auth = await startAuth(t, { keys: await testKeys(['current', 'next']) })
const refresh = (token: string, method = 'POST') => auth.send(`${method} /refresh-token`, { token })

t.test('GET and POST give a new pair for the same session', async (t) => {
  const ada = await auth.person({ username: 'Ada' })
  for (const method of ['GET', 'POST']) {
    const { status, headers, body } = await refresh(ada.refresh_token, method)
    t.equal(status, 200)
    t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    const { access_token, refresh_token, refresh_expires_in, ...rest } = body
    t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, username: 'Ada' })
    t.equal(claimsOf(refresh_token)['sid'], claimsOf(ada.refresh_token)['sid'])
    t.match(await auth.send('GET /me', { token: access_token }), { status: 200, body: { id: ada.id } })
    const [old, renewed] = [claimsOf(ada.access_token), claimsOf(access_token)]
    t.equal(renewed['sid'], old['sid'])
    t.not(renewed['jti'], old['jti'], 'another jti')
    between(t, refresh_expires_in, { least: 2_591_901, most: 2_592_000 }, 'seconds are left')
  }
})

t.test('the letter case of Bearer does not matter', async (t) => {
  const { refresh_token } = await auth.person()
  for (const scheme of ['bearer', 'BEARER']) {
    const answer = await auth.send('GET /refresh-token', { headers: { authorization: `${scheme} ${refresh_token}` } })
    t.equal(answer.status, 200, scheme)
  }
})

t.test('the next access token says what the user has become', async (t) => {
  const { id, access_token, refresh_token } = await auth.person({ username: 'Before' })
  await auth.send('PUT /update-username', { token: access_token, body: { username: 'After' } })
  await auth.database.query("UPDATE users SET roles = '{user,admin}', epoch = 7 WHERE id = $1", [id])
  const { body } = await refresh(refresh_token)
  t.equal(body.username, 'After')
  t.match(claimsOf(body.access_token), { preferred_username: 'After', roles: ['user', 'admin'], epoch: 7 })
  t.match(claimsOf(access_token), { preferred_username: 'Before', roles: ['user'], epoch: 0 })
})

t.test('HEAD would throw tokens away, so it is refused', async (t) => {
  const { refresh_token } = await auth.person()
  const answer = await refresh(refresh_token, 'HEAD')
  t.match(answer, { status: 405, headers: { allow: 'GET, POST', 'cache-control': 'no-store' }, body: '' })
})

t.test('a body of POST is none of its business, but it must be JSON if there is one', async (t) => {
  const { refresh_token: token } = await auth.person()
  const big = `"${'x'.repeat(64 * 1024)}"`
  t.equal((await auth.send('POST /refresh-token', { token, body: {} })).status, 200)
  t.equal(
    (await auth.send('POST /refresh-token', { token, body: '' })).status,
    200,
    'JSON was announced, and none came'
  )
  isProblem(t, await auth.send('POST /refresh-token', { token, body: big }), 'content_too_large')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  isProblem(t, await auth.send('POST /refresh-token', { token, body: 'a=b', headers: form }), 'unsupported_media_type')
})

t.test('credentials that are missing or malformed', async (t) => {
  const { refresh_token: token } = await auth.person()
  const refused: [name: string, headers: Record<string, string | string[]>, code: string][] = [
    ['no header', {}, 'missing_token'],
    ['an empty header', { authorization: '' }, 'missing_token'],
    ['another scheme', { authorization: `Token ${token}` }, 'missing_token'],
    ['Basic', { authorization: 'Basic YTpi' }, 'missing_token'],
    ['the token alone', { authorization: token }, 'missing_token'],
    ['Bearer alone', { authorization: 'Bearer' }, 'invalid_request'],
    ['two words', { authorization: `Bearer ${token} ${token}` }, 'invalid_request'],
    ['two headers', { authorization: [`Bearer ${token}`, `Bearer ${token}`] }, 'invalid_request'],
    ['one word that is no token', { authorization: 'Bearer x' }, 'invalid_token'],
    ['an odd word', { authorization: 'Bearer ~!@#' }, 'invalid_token']
  ]
  for (const method of ['GET', 'POST']) {
    for (const [name, headers, code] of refused) {
      isProblem(t, await auth.send(`${method} /refresh-token`, { headers }), code, [], `${method}: ${name}`)
    }
    t.equal((await auth.send(`${method} /refresh-token?refresh_token=${token}`)).status, 401, 'not from the query')
  }
  isProblem(
    t,
    await auth.send('POST /refresh-token', { body: { refresh_token: token } }),
    'missing_token',
    [],
    'in the body'
  )
})

t.test('what is no refresh token of ours, and of now, is refused', async (t) => {
  const ada = await auth.person()
  const eve = await auth.person()
  const { access, refresh: own } = auth.keys
  const token = ada.refresh_token
  const now = Math.floor(Date.now() / 1000)
  const before = await everythingOf(auth.database, ada.id)
  const { token_hash } = before[0] as { token_hash: Buffer }
  const sign = (claims: Record<string, unknown>, header = {}) => resign(token, own.current, { claims, header })
  const forged: [name: string, token: string, code?: string][] = [
    ['an access token', ada.access_token],
    ['signed by the access key', await resign(token, access.current, {})],
    [
      'signed by the access key under the name of ours',
      await resign(token, access.current, { header: { kid: own.current.kid } })
    ],
    ['an unknown kid', await sign({}, { kid: 'unknown' })],
    ['another typ', await sign({}, { typ: 'at+jwt' })],
    ['another use', await sign({ token_use: 'access' })],
    ['another issuer', await sign({ iss: 'https://evil.example.com' })],
    ['another audience', await sign({ aud: 'latchkey' })],
    ['another user', await sign({ sub: eve.id })],
    [
      'another user, by the token hash of this one',
      await sign({ sub: eve.id, custom_key: customKey(token_hash, eve.id) })
    ],
    ["another user's custom key", await sign({ custom_key: claimsOf(eve.refresh_token)['custom_key'] })],
    ['another custom key', await sign({ custom_key: '0'.repeat(64) })],
    ['a shorter custom key', await sign({ custom_key: String(claimsOf(token)['custom_key']).slice(0, 63) })],
    ['a custom key in upper case', await sign({ custom_key: String(claimsOf(token)['custom_key']).toUpperCase() })],
    ['a list of custom keys', await sign({ custom_key: [claimsOf(token)['custom_key']] })],
    ['no custom key', await sign({ custom_key: undefined })],
    ['a session that never was', await sign(((sid) => ({ sid, jti: `${sid}.0` }))(randomUUID()))],
    ['issued in the future', await sign({ iat: now + 60 })],
    ['expired', await sign({ exp: now - 6 }), 'token_expired'],
    ['changed after signing', token.replace(/\.[^.]+\./, `.${Buffer.from('{}').toString('base64url')}.`)],
    ['without its signature', token.replace(/[^.]+$/, '')]
  ]
  for (const [name, token, code = 'invalid_token'] of forged) isProblem(t, await refresh(token), code, [], name)
  t.strictSame(await everythingOf(auth.database, ada.id), before, 'and changes nothing')
  t.equal((await refresh(await sign({ exp: now - 3 }))).status, 200, 'clocks may differ by CLOCK_LEEWAY')
  for (const key of own.accepted.values()) {
    t.equal((await refresh(await resign(token, key, {}))).status, 200, `signed by our key in the slot ${key.slot}`)
  }
})

for (const [name, statement] of Object.entries(ENDINGS)) {
  t.test(`a refresh token is refused after ${name}`, async (t) => {
    const { id, refresh_token } = await auth.person()
    await auth.database.query(statement, [id])
    const before = await everythingOf(auth.database, id)
    for (const method of ['GET', 'POST']) isProblem(t, await refresh(refresh_token, method), 'invalid_token')
    t.strictSame(await everythingOf(auth.database, id), before, 'and changes nothing')
  })
}

t.test('a new token hash makes the custom key stale, and a token with it changes nothing', async (t) => {
  const { id, refresh_token } = await auth.person()
  await auth.database.query('UPDATE users SET token_hash = sha256(token_hash) WHERE id = $1', [id])
  isProblem(t, await refresh(refresh_token), 'invalid_token')
  t.equal((await sessionOf(auth.database, refresh_token)).ended_at, null, 'the session is none of its business')
})
