import { createHmac } from 'node:crypto'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startAuth } from './app.ts'
import { testKeys } from './keys.ts'
import { claimsOf, headerOf, resign } from './tokens.ts'

const auth = await startAuth(t, { keys: await testKeys(['current', 'next']) })
const ada = await auth.person({ email: 'Ada@Example.com', username: 'Ada' })
const me = (token: string) => auth.send('GET /me', { token })

t.test('a person is shown the own account, and no more of it than everybody may see', async (t) => {
  const { status, headers, body } = await me(ada.access_token)
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  const { created_at, ...rest } = body
  t.strictSame(rest, { id: ada.id, email: 'Ada@Example.com', username: 'Ada', email_verified: false, roles: ['user'] })
  t.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

t.test('the answer comes from the row, not from the token', async (t) => {
  const { id, access_token } = await auth.person({ username: 'Before' })
  await auth.database.query("UPDATE users SET username = 'After', email_verified = true WHERE id = $1", [id])
  t.match((await me(access_token)).body, { username: 'After', email_verified: true })
})

t.test('credentials that are missing or malformed', async (t) => {
  const token = ada.access_token
  const refused: [name: string, headers: Record<string, string | string[]>, code: string][] = [
    ['no header', {}, 'missing_token'],
    ['an empty header', { authorization: '' }, 'missing_token'],
    ['another scheme', { authorization: `Token ${token}` }, 'missing_token'],
    ['a cookie', { cookie: `token=${token}` }, 'missing_token'],
    ['Bearer alone', { authorization: 'Bearer' }, 'invalid_request'],
    ['Bearer and blanks', { authorization: 'Bearer  ' }, 'invalid_request'],
    ['two words', { authorization: `Bearer ${token} x` }, 'invalid_request'],
    ['two headers', { authorization: [`Bearer ${token}`, 'Basic YTpi'] }, 'invalid_request'],
    ['one word that is no token', { authorization: 'Bearer x' }, 'invalid_token']
  ]
  for (const [name, headers, code] of refused) isProblem(t, await auth.send('GET /me', { headers }), code, [], name)
})

t.test('what is no access token of ours, and of now, is refused', async (t) => {
  const token = ada.access_token
  const { access, refresh } = auth.keys
  const now = Math.floor(Date.now() / 1000)
  const sign = (claims: Record<string, unknown>, header = {}) => resign(token, access.current, { claims, header })
  const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = (alg: string) => `${text({ ...headerOf(token), alg })}.${text(claimsOf(token))}`
  const mac = createHmac('sha256', access.current.publicPem).update(unsigned('HS256')).digest('base64url')
  const forged: [name: string, token: string, code?: string][] = [
    ['a refresh token', ada.refresh_token],
    ['signed by the refresh key', await resign(token, refresh.current, {})],
    [
      'signed by the refresh key under our name',
      await resign(token, refresh.current, { header: { kid: access.current.kid } })
    ],
    ['no signature', `${unsigned('none')}.`],
    ['the public key as a secret', `${unsigned('HS256')}.${mac}`],
    ['an unknown kid', await sign({}, { kid: 'unknown' })],
    ['a kid that is a path', await sign({}, { kid: '../../etc/passwd' })],
    ['a kid that every object has', await sign({}, { kid: '__proto__' })],
    ['another typ', await sign({}, { typ: 'JWT' })],
    ['another use', await sign({ token_use: 'refresh' })],
    ['another issuer', await sign({ iss: 'https://auth.example.com/' })],
    ['another audience', await sign({ aud: ['somebody else'] })],
    ['no subject', await sign({ sub: undefined })],
    ['a subject that is no id', await sign({ sub: "' OR 1=1 --" })],
    ['roles that are none', await sign({ roles: 'admin' })],
    ['an epoch that is text', await sign({ epoch: '0' })],
    ['valid only later', await sign({ nbf: now + 60 })],
    ['expired', await sign({ exp: now - 6 }), 'token_expired'],
    ['expired, of another issuer', await sign({ exp: now - 6, iss: 'https://evil.example.com' })],
    ['changed after signing', token.replace(/\.[^.]+\./, `.${text({ ...claimsOf(token), roles: ['admin'] })}.`)]
  ]
  for (const [name, token, code = 'invalid_token'] of forged) isProblem(t, await me(token), code, [], name)
  t.equal((await me(await sign({ exp: now - 3 }))).status, 200, 'clocks may differ by CLOCK_LEEWAY')
  for (const key of access.accepted.values()) {
    t.equal((await me(await resign(token, key, {}))).status, 200, `signed by our key in the slot ${key.slot}`)
  }
})
