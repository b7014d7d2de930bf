import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import accessTokens from '@latchkey/verifier/fastify'
import { authenticate } from '@latchkey/verifier/http'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { accessClaims, accessToken, makeKey } from '../../testing/src/tokens.ts'
import { RemoteKeySet } from '../src/remote-key-set.ts'
import { createVerifier } from '../src/verifier.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { URL } from './fake-issuer.ts'

const issuer = 'https://auth.example.com'
const audience = 'latchkey'
const [old, fresh] = await Promise.all([makeKey(), makeKey()])
const GOOD = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** A verifier whose next token needs a key that its issuer has published since, and the traces with which it was asked. */
async function scene(t: Test) {
  const clock = new FakeClock()
  const traces: (string | null)[] = []
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    traces.push(new Headers(init?.headers).get('traceparent'))
    return Response.json({ keys: traces.length === 1 ? [old.jwk] : [old.jwk, fresh.jwk] })
  }
  const keys = await RemoteKeySet.open({ url: URL, clock, fetch })
  t.teardown(() => keys.close())
  await settle()
  await clock.pass(60)
  const verifier = createVerifier({ issuer, audience, keys, now: () => clock.now() })
  const token = accessToken(fresh, accessClaims(issuer, audience, Math.floor(clock.now() / 1000)))
  return { verifier, traces, token, authorization: `Bearer ${token}` }
}

t.test('what asks for a new key hands the trace of its request on', async (t) => {
  const { verifier, traces, token } = await scene(t)
  await verifier.verify(token, { traceparent: GOOD })
  t.same(traces, [null, GOOD], 'the first fetch is for nobody')
})

t.test('an examined token does so too', async (t) => {
  const { verifier, traces, token } = await scene(t)
  await verifier.examine(token, { traceparent: GOOD })
  t.same(traces, [null, GOOD])
})

t.test('the guard of Fastify does so', async (t) => {
  const { verifier, traces, authorization } = await scene(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(accessTokens, { verifier })
  app.get('/', { onRequest: app.requireAccessToken }, () => 'in')
  t.equal((await app.inject({ url: '/', headers: { authorization, traceparent: GOOD } })).body, 'in')
  t.same(traces, [null, GOOD])
})

t.test('the guard of node:http does so', async (t) => {
  const { verifier, traces, authorization } = await scene(t)
  const server = createServer(async (request, response) => {
    await authenticate(verifier, request, response)
    response.end('in')
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.equal(await (await fetch(url, { headers: { authorization, traceparent: GOOD } })).text(), 'in')
  t.same(traces, [null, GOOD])
})

t.test('what is no trace is not handed on', async (t) => {
  for (const traceparent of [undefined, 'x', `${GOOD}, ${GOOD}`, `${GOOD}\r\nX-Injected: 1`]) {
    const { verifier, traces, token } = await scene(t)
    await verifier.verify(token, { traceparent })
    t.same(traces, [null, null])
  }
})

t.test('where OpenTelemetry adds the header, no second one is sent', async (t) => {
  const place = globalThis as Record<symbol, unknown>
  const key = Symbol.for('opentelemetry.js.api.1')
  place[key] = { version: '1.9.1', propagation: {} }
  t.teardown(() => delete place[key])
  const { verifier, traces, token } = await scene(t)
  await verifier.verify(token, { traceparent: GOOD })
  t.same(traces, [null, null])
})
