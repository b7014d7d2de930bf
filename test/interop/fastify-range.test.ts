// The plugin of the verifier in the oldest Fastify that its package.json allows. The newest is the one that all other tests have.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { accessClaims, accessToken, makeKey } from '@latchkey/testing/tokens'
import { createVerifier, openKeySet } from '@latchkey/verifier'
import accessTokens from '@latchkey/verifier/fastify-named'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import t from 'tap'
import { isInstalled, TOOLS } from './tools.ts'

const OLDEST = join(TOOLS, 'node/node_modules/fastify-lowest')
const MANIFEST = new URL('../../packages/verifier/package.json', import.meta.url)
const skip = isInstalled('node') ? false : 'test/interop/install.sh has not installed node'

type Decorated = Record<string, onRequestHookHandler>

t.test(
  'the plugin lets good tokens in and refuses bad ones in the oldest Fastify that it allows',
  { skip },
  async (t) => {
    const { version } = JSON.parse(await readFile(join(OLDEST, 'package.json'), 'utf8'))
    const { peerDependencies } = JSON.parse(await readFile(MANIFEST, 'utf8'))
    t.equal(peerDependencies.fastify, `^${version}`)

    const [issuer, audience] = ['https://auth.example.com', 'latchkey']
    const key = await makeKey()
    const folder = t.testdir({ 'jwks.json': JSON.stringify({ keys: [key.jwk] }) })
    const keys = await openKeySet({ file: join(folder, 'jwks.json') })
    const verifier = createVerifier({ issuer, audience, keys })
    const fastify: () => FastifyInstance = createRequire(import.meta.url)(OLDEST)
    const app = fastify()
    t.teardown(() => app.close())
    await app.register(accessTokens, { verifier })
    await app.register(accessTokens, { verifier, property: 'caller', hook: 'requireCaller', refusals: 'throw' })
    const { requireAccessToken, requireCaller } = app as unknown as Decorated
    app.get('/answer', { onRequest: requireAccessToken as onRequestHookHandler }, (request) => request.user)
    app.get('/throw', { onRequest: requireCaller as onRequestHookHandler }, (request) => Reflect.get(request, 'caller'))

    const authorization = `Bearer ${accessToken(key, accessClaims(issuer, audience, Math.floor(Date.now() / 1000)))}`
    for (const [url, type] of [
      ['/answer', 'application/problem+json'],
      ['/throw', 'application/json; charset=utf-8']
    ] as const) {
      const good = await app.inject({ url, headers: { authorization } })
      t.match([good.statusCode, good.json()], [200, { preferred_username: 'Ada' }], url)
      const bad = await app.inject({ url, headers: { authorization: `${authorization.slice(0, -8)}AAAAAAAA` } })
      t.same([bad.statusCode, bad.json().code, bad.headers['content-type']], [401, 'invalid_token', type], url)
      t.equal(bad.headers['www-authenticate'], 'Bearer realm="latchkey", error="invalid_token"')
    }
  }
)
