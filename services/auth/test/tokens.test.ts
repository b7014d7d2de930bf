import { createHash, createHmac, createPublicKey, verify } from 'node:crypto'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { AUDIENCE, type Auth, ISSUER, type Person, startAuth } from './app.ts'
import { testKeys } from './keys.ts'
import { sessionOf } from './sessions.ts'
import { claimsOf, headerOf } from './tokens.ts'

const auth = await startAuth(t, { keys: await testKeys(['current', 'next']) })
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const seconds = (time: Date) => Math.floor(time.getTime() / 1000)

/** RFC 7638, by hand: SHA-256 of the required members in the order of their names. */
function thumbprint({ e, n }: { e: string; n: string }): string {
  return createHash('sha256').update(`{"e":"${e}","kty":"RSA","n":"${n}"}`).digest('base64url')
}

function isSignedBy(token: string, publicPem: string): boolean {
  const [header, payload, signature = ''] = token.split('.')
  return verify(
    'RSA-SHA256',
    Buffer.from(`${header}.${payload}`),
    createPublicKey(publicPem),
    Buffer.from(signature, 'base64url')
  )
}

t.test('the thumbprint is that of RFC 7638 §3.1', async (t) => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs' +
    'tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajr' +
    'n1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  t.equal(thumbprint({ e: 'AQAB', n }), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
})

async function logIn(by: Auth): Promise<Person & { began: number }> {
  const began = Math.floor(Date.now() / 1000)
  return { began, ...(await by.person({ username: 'Ada Ünïcode' })) }
}

t.test('an access token says what the contract has, signed by the current access key', async (t) => {
  const { id, access_token, refresh_token, began } = await logIn(auth)
  const { publicPem, jwk } = auth.keys.access.current
  t.strictSame(headerOf(access_token), { alg: 'RS256', typ: 'at+jwt', kid: thumbprint(jwk) })
  t.equal(isSignedBy(access_token, publicPem), true)
  const claims = claimsOf(access_token) as Record<string, number>
  const { iat = 0, exp = 0, jti, sid, ...rest } = claims
  t.strictSame(rest, {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: id,
    client_id: 'latchkey',
    token_use: 'access',
    preferred_username: 'Ada Ünïcode',
    roles: ['user'],
    epoch: 0
  })
  t.match(String(jti), UUID)
  t.equal(sid, claimsOf(refresh_token)['sid'])
  between(t, iat, { least: began, most: Date.now() / 1000 }, 'issued now')
  t.equal(exp - iat, 900)
})

t.test('a refresh token says what its rows have, signed by the current refresh key', async (t) => {
  const { id, refresh_token } = await logIn(auth)
  const { publicPem, jwk } = auth.keys.refresh.current
  t.strictSame(headerOf(refresh_token), { alg: 'RS256', typ: 'rt+jwt', kid: thumbprint(jwk) })
  t.equal(isSignedBy(refresh_token, publicPem), true)
  const session = await sessionOf(auth.database, refresh_token)
  const [user] = await auth.database.query<{ token_hash: Buffer }>('SELECT token_hash FROM users WHERE id = $1', [id])
  t.strictSame(claimsOf(refresh_token), {
    iss: ISSUER,
    aud: ISSUER,
    sub: id,
    iat: seconds(session.created_at),
    exp: seconds(session.idle_ends_at),
    jti: `${session.id}.0`,
    token_use: 'refresh',
    sid: session.id,
    generation: 0,
    custom_key: createHmac('sha256', user?.token_hash ?? '')
      .update(id)
      .digest('hex')
  })
  t.match(session.id, UUID)
})

t.test('times are floored, so that no token is issued in the future', async (t) => {
  const ada = await auth.person()
  const { sid } = claimsOf(ada.refresh_token)
  const life = [new Date(Date.now() - 1001), new Date(Date.now() + 100_999)] as const
  // Superseded within the window, so that a refresh answers the generation whose times these are.
  const late = `UPDATE sessions SET generation = 1, superseded_at = ARRAY[date_trunc('second', $2::timestamptz) + interval '999999 us'],
    idle_ends_at = date_trunc('second', $3::timestamptz) + interval '999999 us' WHERE id = $1`
  await auth.database.query(late, [sid, ...life])
  const { body } = await auth.send('POST /refresh-token', { token: ada.refresh_token })
  t.match(claimsOf(body.refresh_token), { generation: 1, iat: seconds(life[0]), exp: seconds(life[1]) })
})

t.test('the four keys have four names, and the kinds share none', async (t) => {
  const kids = [...auth.keys.access.accepted.keys(), ...auth.keys.refresh.accepted.keys()]
  t.equal(new Set(kids).size, 4)
})

t.test('lives and audiences are as configured', async (t) => {
  const env = { ACCESS_TOKEN_TTL: '90s', REFRESH_TOKEN_TTL: '2d', SESSION_MAX_AGE: '36h', AUDIENCE: 'greeter, chat' }
  const other = await startAuth(t, { env })
  const ada = await logIn(other)
  const { aud, iat, exp } = claimsOf(ada.access_token) as Record<string, number>
  t.strictSame({ aud, life: Number(exp) - Number(iat) }, { aud: ['greeter', 'chat'], life: 90 })
  const refresh = claimsOf(ada.refresh_token) as Record<string, number>
  t.equal(Number(refresh['exp']) - Number(refresh['iat']), 36 * 3600, 'no longer than the session may live')
  t.match(ada, { expires_in: 90, refresh_expires_in: 36 * 3600 })
  t.equal((await other.send('GET /me', { token: ada.access_token })).status, 200, 'its own routes take what it issued')
})
