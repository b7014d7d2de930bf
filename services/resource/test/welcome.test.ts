import { join } from 'node:path'
import { isProblem } from '@latchkey/testing/problem'
import { accessClaims, accessToken, type Members, makeKey } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { AUDIENCE, bearer, ISSUER, type Resource, startResource } from './app.ts'

const [ours, stranger] = await Promise.all([makeKey(), makeKey()])
const ACCESS = '__Host-token'

function start(t: Test, env: Record<string, string> = {}): Promise<Resource> {
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [ours.jwk] }) })
  return startResource(t, { JWKS_FILE: join(dir, 'jwks.json'), ...env })
}

/** A good token, but for what `claims` say otherwise. */
function token(claims: Members = {}, key = ours): string {
  const now = Math.floor(Date.now() / 1000)
  return accessToken(key, { ...accessClaims(ISSUER, AUDIENCE, now), ...claims })
}

t.test('GET /welcome welcomes the user of the access cookie, as a line of text', async (t) => {
  const { send } = await start(t)
  for (const preferred_username of [
    'Grace',
    'Zoë \u{1F511}',
    '<script>alert(1)</script>',
    '\u202eecarG',
    'x'.repeat(64)
  ]) {
    const cookie = `theme=dark; ${ACCESS}=${token({ preferred_username })}; lang=en`
    for (const time of ['first', 'second']) {
      const { status, headers, body } = await send('GET /welcome', { cookie })
      t.strictSame([status, body], [200, `Welcome ${preferred_username}!`], time)
      t.match(headers, {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff'
      })
      t.equal(headers['set-cookie'], undefined)
    }
  }
})

t.test('the cookie alone counts there, and nowhere else', async (t) => {
  const { send } = await start(t)
  const cookie = `${ACCESS}=${token()}`
  isProblem(t, await send('GET /welcome'), 'missing_token')
  isProblem(t, await send('GET /welcome', bearer(ours)), 'missing_token', [], 'a token in the header')
  isProblem(t, await send(`GET /welcome?token=${token()}`), 'missing_token')
  t.equal((await send('GET /welcome', { cookie, authorization: 'Bearer nonsense' })).status, 200)
  for (const path of ['/greet', '/gate']) isProblem(t, await send(`GET ${path}`, { cookie }), 'missing_token')
})

t.test('any other cookie is refused as /greet refuses a token, and none is cleared', async (t) => {
  const { send } = await start(t)
  const ago = Math.floor(Date.now() / 1000) - 3600
  for (const [cookie, code] of [
    [`token=${token()}; __Secure-token=${token()}`, 'missing_token'],
    [`${ACCESS}=`, 'missing_token'],
    [`__host-token=${token()}`, 'missing_token'],
    [`${ACCESS}=nonsense`, 'invalid_token'],
    [`${ACCESS}="${token()}"`, 'invalid_token'],
    [`${ACCESS}=${token({}, stranger)}`, 'invalid_token'],
    [`${ACCESS}=${token({ aud: ISSUER })}`, 'invalid_token'],
    [`${ACCESS}=${token({ aud: 'others' })}`, 'invalid_token'],
    [`${ACCESS}=${'a'.repeat(9000)}`, 'invalid_token'],
    [`${ACCESS}=${token({ iat: ago, exp: ago + 900 })}`, 'token_expired'],
    [`${ACCESS}=${token()}; ${ACCESS}=${token()}`, 'invalid_request'],
    [`${ACCESS}=evil; a=b; ${ACCESS}=${token()}`, 'invalid_request']
  ] as const) {
    const answer = await send('GET /welcome', { cookie })
    isProblem(t, answer, code, [], cookie.slice(0, 40))
    t.equal(answer.headers['set-cookie'], undefined)
  }
  t.match((await send('GET /welcome')).body, { detail: `Send the cookie ${ACCESS}: sign in first.` })
})

t.test('a link from another site works, for it changes nothing; no other method is there', async (t) => {
  const { send } = await start(t, { CORS_ORIGINS: 'https://app.example.com' })
  const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example', cookie: `${ACCESS}=${token()}` }
  const answer = await send('GET /welcome', foreign)
  t.equal(answer.status, 200)
  t.equal(answer.headers['access-control-allow-origin'], undefined, 'but a page there cannot read the answer')
  const { headers } = await send('GET /welcome', { ...foreign, origin: 'https://app.example.com' })
  t.match(headers, {
    'access-control-allow-origin': 'https://app.example.com',
    'access-control-allow-credentials': 'true',
    vary: /\bOrigin\b/
  })
  isProblem(t, await send('POST /welcome', foreign), 'method_not_allowed')
})

t.test('the name of the cookie follows from ISSUER and COOKIE_DOMAIN', async (t) => {
  for (const [env, name] of [
    [{ COOKIE_DOMAIN: 'example.com' }, '__Secure-token'],
    [{ ISSUER: 'http://127.0.0.1:9090' }, 'token']
  ] as const) {
    const { send } = await start(t, env)
    const iss = 'ISSUER' in env ? env.ISSUER : ISSUER
    t.equal((await send('GET /welcome', { cookie: `${name}=${token({ iss })}` })).status, 200, name)
    isProblem(t, await send('GET /welcome', { cookie: `${ACCESS}=${token({ iss })}` }), 'missing_token')
    const { body } = await send('GET /openapi.json')
    t.match(body.components.securitySchemes.accessCookie, { type: 'apiKey', in: 'cookie', name })
    t.same(body.paths['/welcome'].get.security, [{ accessCookie: [] }])
  }
})
