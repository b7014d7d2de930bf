import { createHash, createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import t from 'tap'
import { type Options, startAuth } from './app.ts'
import { testKeys } from './keys.ts'
import { headerOf } from './tokens.ts'

const auth = await startAuth(t, { keys: await testKeys(['current', 'next']) })
const another = ({ env, ...options }: Options) =>
  startAuth(t, { env: { DATABASE_URL: auth.config.DATABASE_URL, ...env }, ...options })
const LINE = 'GET /.well-known/jwks.json'

t.test('the access keys are published, current and next, and no refresh key', async (t) => {
  const { status, headers, body } = await auth.send(LINE)
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/jwk-set+json')
  t.equal(headers['cache-control'], 'public, max-age=300')
  t.match(headers['etag'], /^"[\w-]+"$/)
  t.strictSame(Object.keys(body), ['keys'])
  const kids = body.keys.map(({ kid }: { kid: string }) => kid)
  t.strictSame(kids, [...auth.keys.access.accepted.keys()])
  const { access_token, refresh_token } = await auth.person()
  t.equal(kids[0], headerOf(access_token)['kid'])
  t.strictSame(
    kids.filter((kid: string) => kid === headerOf(refresh_token)['kid']),
    []
  )
})

t.test('of each key the public members alone, by its thumbprint', async (t) => {
  for (const { kid, n, e, ...rest } of (await auth.send(LINE)).body.keys) {
    t.strictSame(rest, { kty: 'RSA', use: 'sig', alg: 'RS256' })
    t.equal(e, 'AQAB')
    t.equal(kid, createHash('sha256').update(`{"e":"${e}","kty":"RSA","n":"${n}"}`).digest('base64url'))
    const modulus = Buffer.from(n, 'base64url')
    t.strictSame([modulus.length, modulus.toString('base64url'), modulus[0] === 0], [256, n, false])
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' } as JsonWebKeyInput)
    t.equal(key.export({ type: 'spki', format: 'pem' }), auth.keys.access.accepted.get(kid)?.publicPem)
  }
})

t.test('who has the set already is told that it is unchanged', async (t) => {
  const { headers } = await auth.send(LINE)
  const etag = String(headers['etag'])
  for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const answer = await auth.send(LINE, { headers: { 'if-none-match': tag } })
    t.match(answer, { status: 304, headers: { etag, 'cache-control': 'public, max-age=300' }, body: '' }, tag)
    t.equal(answer.headers['content-length'], undefined, 'no body is announced')
  }
  for (const tag of ['"x"', 'x', etag.slice(1, -1)]) {
    t.equal((await auth.send(LINE, { headers: { 'if-none-match': tag } })).status, 200, tag)
  }
})

t.test('the ETag is that of the keys: the same at every instance, another for other keys', async (t) => {
  const etagOf = async (keys: typeof auth.keys) => (await (await another({ keys })).send(LINE)).headers['etag']
  const { access, refresh } = auth.keys
  const own = (await auth.send(LINE)).headers['etag']
  t.equal(await etagOf(auth.keys), own)
  t.not(await etagOf({ access: refresh, refresh: access }), own)
})

t.test('JWKS_PUBLISH_AGE says how long it may be kept', async (t) => {
  const { headers } = await (await another({ env: { JWKS_PUBLISH_AGE: '1h', KEY_LEAD: '2h' } })).send(LINE)
  t.equal(headers['cache-control'], 'public, max-age=3600')
})
