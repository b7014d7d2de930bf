import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isProblem } from '@latchkey/testing/problem'
import { makeKey, type TestKey } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { bearer, type Resource, startResource } from './app.ts'
import { startIssuer } from './issuer.ts'

const [a, b] = await Promise.all([makeKey(), makeKey()])

/** A folder with a key set in a file. */
function file(t: Test, ...keys: TestKey[]): string {
  return join(t.testdir({ 'jwks.json': JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) }), 'jwks.json')
}

async function greets({ send }: Resource, key: TestKey): Promise<boolean> {
  return (await send('GET /greet', bearer(key))).status === 200
}

t.test('JWKS_FILE alone is enough, and nobody is asked', async (t) => {
  const resource = await startResource(t, { JWKS_FILE: file(t, a) })
  t.equal(await greets(resource, a), true)
  isProblem(t, await resource.send('GET /greet', bearer(b)), 'invalid_token')
})

t.test('a JWKS_FILE without a usable key keeps the service from starting, by its path', async (t) => {
  const path = file(t)
  await t.rejects(startResource(t, { JWKS_FILE: path }), { message: new RegExp(path) })
  await t.rejects(startResource(t, { JWKS_FILE: `${path}x` }), { code: 'ENOENT' })
})

t.test('the keys come from JWKS_URL, and their tokens are good while the issuer is away', async (t) => {
  const issuer = await startIssuer(t, [a.jwk, b.jwk])
  const resource = await startResource(t, { JWKS_URL: issuer.url })
  t.equal(await greets(resource, a), true)
  await issuer.stop()
  t.equal(await greets(resource, a), true)
  t.equal(await greets(resource, b), true, 'also of a key not used before')
})

t.test('with JWKS_CACHE_FILE the service starts again while the issuer is away', async (t) => {
  const cache = join(t.testdir(), 'kept', 'jwks.json')
  const issuer = await startIssuer(t, [a.jwk])
  const env = { JWKS_URL: issuer.url, JWKS_CACHE_FILE: cache }
  t.equal(await greets(await startResource(t, env), a), true)
  while ((await readFile(cache, 'utf8').catch(() => '')) === '') await new Promise((resolve) => setImmediate(resolve))
  await issuer.stop()
  const again = await startResource(t, env)
  t.match(await again.send('GET /readyz'), { status: 200 })
  t.equal(await greets(again, a), true)
  const { JWKS_CACHE_FILE: _, ...without } = env
  isProblem(t, await (await startResource(t, without)).send('GET /greet', bearer(a)), 'unavailable')
  const elsewhere = await startResource(t, { ...env, JWKS_URL: issuer.url.replace('127.0.0.1', 'localhost') })
  isProblem(t, await elsewhere.send('GET /greet', bearer(a)), 'unavailable', undefined, 'the cache of another URL')
})

t.test('with JWKS_URL and JWKS_FILE the file stands in until the first fetch, and not after', async (t) => {
  let publish = () => {}
  const published = new Promise<void>((resolve) => {
    publish = resolve
  })
  const issuer = await startIssuer(t, [b.jwk], published)
  const resource = await startResource(t, { JWKS_URL: issuer.url, JWKS_FILE: file(t, a), JWKS_COOLDOWN: '1ms' })
  t.equal(await greets(resource, a), true)
  publish()
  t.equal(await greets(resource, b), true, 'by waiting for the fetch')
  t.equal(await greets(resource, a), false)
})

t.test('an issuer that says nothing is given up after JWKS_TIMEOUT', async (t) => {
  const issuer = await startIssuer(t, undefined)
  const { send, lines } = await startResource(t, { JWKS_URL: issuer.url, JWKS_TIMEOUT: '50ms' })
  isProblem(t, await send('GET /greet', bearer(a)), 'unavailable')
  t.match(lines.find(({ level }) => level === 'warn')?.msg, /^key set not fetched: no whole answer within 0.05 s/)
})
