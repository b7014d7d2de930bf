import { Problem, unavailable } from '@latchkey/problems/problem'
import accessTokens from '@latchkey/verifier/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { accessClaims, accessToken, makeKey } from '../../testing/src/tokens.ts'
import { readKeySet } from '../src/jwk.ts'
import type { KeySource } from '../src/key-set.ts'
import { createVerifier, type TokenVerifier } from '../src/verifier.ts'

const issuer = 'https://auth.example.com'
const audience = 'latchkey'
const now = 1_800_000_000
const [ours, stranger] = await Promise.all([makeKey(), makeKey()])
const keys = readKeySet(JSON.stringify({ keys: [ours.jwk] }), new Map(), t.fail)
const claims = accessClaims(issuer, audience, now)

const keySet: KeySource = {
  held: (kid) => keys?.get(kid),
  find: async (kid) => keys?.get(kid)
}

/** An app that is not ours: its own serializer, its own error handler, its own request ids. */
async function foreignApp(
  t: Test,
  verifier: TokenVerifier
): Promise<{ app: FastifyInstance; log: { level: number; code?: string }[] }> {
  const log: { level: number; code?: string }[] = []
  const app = Fastify({
    logger: { stream: { write: (line: string) => log.push(JSON.parse(line)) } },
    genReqId: () => 'theirs-1',
    schemaErrorFormatter: () => new Error('theirs')
  })
  app.setReplySerializer((payload) => JSON.stringify({ theirs: payload }))
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ error: String(error) }))
  await app.register(accessTokens, { verifier })
  app.get('/guarded', { onRequest: app.requireAccessToken }, (request) => request.user)
  app.get('/open', (request) => ({ user: request.user }))
  t.teardown(() => app.close())
  return { app, log }
}

const real = () => createVerifier({ issuer, audience, keys: keySet, now: () => now * 1000 })

t.test('a good token gets its request through, with what it says, the first time and the second', async (t) => {
  const { app } = await foreignApp(t, real())
  for (const scheme of ['Bearer', 'bearer', 'Bearer']) {
    const headers = { authorization: `${scheme} ${accessToken(ours, claims)}` }
    const answer = await app.inject({ url: '/guarded', headers })
    t.equal(answer.statusCode, 200)
    t.same(answer.json(), { theirs: claims })
  }
})

t.test('a route that asks for no token has no user', async (t) => {
  const { app } = await foreignApp(t, real())
  const headers = { authorization: `Bearer ${accessToken(ours, claims)}` }
  t.same((await app.inject({ url: '/open', headers })).json(), { theirs: { user: null } })
})

const BAD = 'error="invalid_token"'

const REFUSALS: Record<
  string,
  { authorization?: string | string[]; status: number; code: string; challenge?: string }
> = {
  'no credential': { status: 401, code: 'missing_token' },
  'another scheme': { authorization: 'Basic YTpi', status: 401, code: 'missing_token' },
  'nothing after the scheme': {
    authorization: 'Bearer',
    status: 400,
    code: 'invalid_request',
    challenge: 'error="invalid_request"'
  },
  'two words': {
    authorization: 'Bearer a b',
    status: 400,
    code: 'invalid_request',
    challenge: 'error="invalid_request"'
  },
  'two headers': {
    authorization: ['Bearer a', 'Bearer b'],
    status: 400,
    code: 'invalid_request',
    challenge: 'error="invalid_request"'
  },
  'one word that is no token': { authorization: 'Bearer nonsense', status: 401, code: 'invalid_token', challenge: BAD },
  'an unknown key': {
    authorization: `Bearer ${accessToken(stranger, claims)}`,
    status: 401,
    code: 'invalid_token',
    challenge: BAD
  },
  'another audience': {
    authorization: `Bearer ${accessToken(ours, { ...claims, aud: 'others' })}`,
    status: 401,
    code: 'invalid_token',
    challenge: BAD
  },
  'an expired token': {
    authorization: `Bearer ${accessToken(ours, { ...claims, exp: now - 60 })}`,
    status: 401,
    code: 'token_expired',
    challenge: BAD
  }
}

t.test('a refusal is the same problem in any app', async (t) => {
  const { app, log } = await foreignApp(t, real())
  for (const [name, { authorization, status, code, challenge }] of Object.entries(REFUSALS)) {
    log.length = 0
    const headers: Record<string, string | string[]> = authorization === undefined ? {} : { authorization }
    const answer = await app.inject({ url: '/guarded', headers })
    t.equal(answer.statusCode, status, name)
    t.equal(answer.headers['content-type'], 'application/problem+json', name)
    t.equal(answer.headers['www-authenticate'], `Bearer realm="latchkey"${challenge ? `, ${challenge}` : ''}`, name)
    t.equal(answer.headers['cache-control'], 'no-store', name)
    t.match(
      answer.json(),
      { type: `urn:latchkey:problem:${code.replace('_', '-')}`, status, code, request_id: 'theirs-1' },
      name
    )
    t.match(
      log.filter((line) => line.code),
      [{ level: 30, code }],
      name
    )
    t.notMatch(JSON.stringify(log), 'eyJ', name)
  }
})

t.test('a token that is trusted no more is refused, though its verdict is remembered', async (t) => {
  let trusted = true
  const options = { issuer, audience, keys: keySet, now: () => now * 1000, trusted: () => trusted }
  const { app, log } = await foreignApp(t, createVerifier(options))
  const headers = { authorization: `Bearer ${accessToken(ours, claims)}` }
  t.equal((await app.inject({ url: '/guarded', headers })).statusCode, 200)
  trusted = false
  log.length = 0
  const answer = await app.inject({ url: '/guarded', headers })
  t.match(answer.json(), { status: 401, code: 'invalid_token' })
  t.match(
    log.filter((line) => line.code),
    [{ level: 30, code: 'invalid_token', msg: 'it is no longer trusted' }]
  )
})

t.test('while no token can be verified the answer says when to come again, and the log has an error', async (t) => {
  const verify = async () => {
    throw unavailable('no current key set', 4.2)
  }
  const { app, log } = await foreignApp(t, { recall: () => undefined, verify })
  const answer = await app.inject({ url: '/guarded', headers: { authorization: 'Bearer a.b.c' } })
  t.equal(answer.statusCode, 503)
  t.equal(answer.headers['retry-after'], '5')
  t.equal(answer.headers['www-authenticate'], undefined)
  t.match(answer.json(), { code: 'unavailable', status: 503 })
  t.match(
    log.filter((line) => line.code),
    [{ level: 50, code: 'unavailable' }]
  )
})

t.test("an error that is none of ours is the app's own to answer", async (t) => {
  const verify = async () => {
    throw new Error('unexpected')
  }
  const { app } = await foreignApp(t, { recall: () => undefined, verify })
  const answer = await app.inject({ url: '/guarded', headers: { authorization: 'Bearer a.b.c' } })
  t.equal(answer.statusCode, 418)
  t.same(answer.json(), { theirs: { error: 'Error: unexpected' } })
})

t.test('a problem that a handler throws is not mistaken for one of the token', async (t) => {
  const { app } = await foreignApp(t, real())
  app.get('/failing', { onRequest: app.requireAccessToken }, () => {
    throw new Problem('last_admin')
  })
  const headers = { authorization: `Bearer ${accessToken(ours, claims)}` }
  for (const time of ['first', 'second']) {
    const answer = await app.inject({ url: '/failing', headers })
    t.equal(answer.statusCode, 418, `the ${time} time`)
  }
})
