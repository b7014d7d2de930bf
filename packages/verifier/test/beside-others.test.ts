import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import auth from '@fastify/auth'
import cookie from '@fastify/cookie'
import jwt from '@fastify/jwt'
import session from '@fastify/session'
import express, { type NextFunction, type Request, type Response } from 'express'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type onRequestHookHandler } from 'fastify'
import t, { type Test } from 'tap'
import { accessClaims, accessToken, makeKey, type TestKey } from '../../testing/src/tokens.ts'
import accessTokens from '../src/fastify-named.ts'
import { authenticate } from '../src/http.ts'
import { createVerifier, openKeySet, Problem, type Verifier } from '../src/index.ts'

// Not by an import: it declares another type of request.user than we do, and this repository compiles as one program.
const { Authenticator } = createRequire(import.meta.url)('@fastify/passport') as {
  Authenticator: new () => { initialize(): FastifyPluginAsync }
}

const audience = 'latchkey'
const [one, other] = await Promise.all([makeKey(), makeKey()])
const NAMES = { property: 'caller', hook: 'requireCaller' }

interface Issuer {
  readonly verifier: Verifier
  readonly token: string
}

async function issuer(t: Test, name: string, key: TestKey): Promise<Issuer> {
  const file = t.testdir({ 'jwks.json': JSON.stringify({ keys: [key.jwk] }) })
  const iss = `https://${name}.example`
  const verifier = createVerifier({ issuer: iss, audience, keys: await openKeySet({ file: `${file}/jwks.json` }) })
  const claims = { ...accessClaims(iss, audience, Math.floor(Date.now() / 1000)), preferred_username: name }
  return { verifier, token: accessToken(key, claims) }
}

const hookOf = (app: FastifyInstance, name = NAMES.hook) => app.getDecorator<onRequestHookHandler>(name)
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

function fastify(t: Test): FastifyInstance {
  const app = Fastify()
  t.teardown(() => app.close())
  return app
}

t.test(
  'under names of its own it stands beside @fastify/jwt and @fastify/passport, whichever comes first',
  async (t) => {
    const { verifier, token } = await issuer(t, 'ada', one)
    const others = {
      jwt: (app: FastifyInstance) => app.register(jwt, { secret: 'a secret of theirs' }),
      passport: async (app: FastifyInstance) => {
        await app.register(cookie).register(session, { secret: 's'.repeat(40) })
        await app.register(new Authenticator().initialize())
      }
    }
    for (const [name, register] of Object.entries(others)) {
      for (const first of [true, false]) {
        const app = fastify(t)
        if (first) await register(app)
        await app.register(accessTokens, { verifier, ...NAMES })
        if (!first) await register(app)
        app.get('/', { onRequest: hookOf(app) }, (request) => request.getDecorator('caller'))
        const answer = await app.inject({ url: '/', headers: bearer(token) })
        t.match(answer.json(), { preferred_username: 'ada' }, `${name} ${first ? 'first' : 'last'}`)
        t.equal((await app.inject('/')).statusCode, 401)
      }
    }
  }
)

t.test('a name that another plugin has is refused at the start, with what to do', async (t) => {
  const { verifier } = await issuer(t, 'ada', one)
  const app = fastify(t)
  await app.register(jwt, { secret: 'a secret of theirs' })
  const taken = async () => void (await app.register(accessTokens, { verifier }))
  await t.rejects(taken, { message: /^request\.user is another plugin's: .*\{ property: 'caller' \}/ })
  const twice = fastify(t)
  await twice.register(accessTokens, { verifier })
  const again = async () => void (await twice.register(accessTokens, { verifier, property: 'caller' }))
  await t.rejects(again, { message: /^app\.requireAccessToken is another plugin's: .*\{ hook: / })
  for (const options of [{ property: '' }, { hook: 5 }, { refusals: 'ignore' }]) {
    const odd = async () => void (await fastify(t).register(accessTokens, { verifier, ...(options as object) }))
    await t.rejects(odd, { name: 'TypeError' })
  }
})

t.test('twice in one app, each lets through the tokens of its own issuer', async (t) => {
  const [ada, bob] = [await issuer(t, 'ada', one), await issuer(t, 'bob', other)]
  const app = fastify(t)
  await app.register(accessTokens, { verifier: ada.verifier })
  await app.register(accessTokens, { verifier: bob.verifier, ...NAMES })
  app.get('/ada', { onRequest: hookOf(app, 'requireAccessToken') }, (request) => request.getDecorator('user'))
  app.get('/bob', { onRequest: hookOf(app) }, (request) => request.getDecorator('caller'))
  const asked = [ada, bob].flatMap(({ token }) => ['/ada', '/bob'].map((url) => ({ url, headers: bearer(token) })))
  const statuses = []
  for (const request of asked) statuses.push((await app.inject(request)).statusCode)
  t.same(statuses, [200, 401, 401, 200])
})

t.test('@fastify/auth combines two that throw, and answers when both refuse', async (t) => {
  const [ada, bob] = [await issuer(t, 'ada', one), await issuer(t, 'bob', other)]
  const app = fastify(t)
  await app.register(auth)
  await app.register(accessTokens, { verifier: ada.verifier, property: 'a', hook: 'needA', refusals: 'throw' })
  await app.register(accessTokens, { verifier: bob.verifier, property: 'b', hook: 'needB', refusals: 'throw' })
  const either = app.auth([hookOf(app, 'needA') as () => void, hookOf(app, 'needB') as () => void])
  app.get('/', { onRequest: either }, (request) => ({ a: request.getDecorator('a'), b: request.getDecorator('b') }))
  for (const [{ token }, name] of [
    [ada, 'a'],
    [bob, 'b']
  ] as const) {
    const answer = await app.inject({ url: '/', headers: bearer(token) })
    t.match([answer.statusCode, answer.json()[name]?.preferred_username], [200, name === 'a' ? 'ada' : 'bob'])
  }
  const refused = await app.inject({ url: '/', headers: bearer('nonsense') })
  t.match(refused.json(), { statusCode: 401, code: 'invalid_token', message: /^The token is not valid here/ })
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="latchkey", error="invalid_token"')
  t.match(refused.headers['content-type'], /^application\/json/)
})

t.test('in Express the refusal goes to its error handler when no response is given', async (t) => {
  const { verifier, token } = await issuer(t, 'ada', one)
  const app = express()
  app.use((request: Request, response: Response, next: NextFunction) => {
    authenticate(verifier, request).then((claims) => {
      response.locals['caller'] = claims
      next()
    }, next)
  })
  app.get('/', (_request, response) => void response.json(response.locals['caller']))
  app.use('/', (error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (error instanceof Problem) response.set('x-code', error.code)
    next(error)
  })
  app.set('env', 'test')
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  t.match(await (await fetch(url, { headers: bearer(token) })).json(), { preferred_username: 'ada' })
  const refused = await fetch(url)
  t.same(
    [refused.status, refused.headers.get('x-code'), refused.headers.get('www-authenticate')],
    [401, 'missing_token', 'Bearer realm="latchkey"']
  )
})
