import { join } from 'node:path'
import { isProblem } from '@latchkey/testing/problem'
import { makeKey } from '@latchkey/testing/tokens'
import t from 'tap'
import { startResource } from './app.ts'
import { startIssuer } from './issuer.ts'

const key = await makeKey()

t.test('GET /healthz says that the process is up, whatever keys it has', async (t) => {
  const issuer = await startIssuer(t, undefined)
  const { send } = await startResource(t, { JWKS_URL: issuer.url })
  t.match(await send('GET /healthz'), { status: 200, body: { status: 'ok' } })
})

t.test('GET /readyz is 503 until a key is held, and says why to the log alone', async (t) => {
  let publish = () => {}
  const published = new Promise<void>((resolve) => {
    publish = resolve
  })
  const issuer = await startIssuer(t, [key.jwk], published)
  const { send, keys, lines } = await startResource(t, { JWKS_URL: issuer.url })
  const answer = await send('GET /readyz')
  isProblem(t, answer, 'unavailable')
  t.notMatch(JSON.stringify(answer.body), '127.0.0.1')
  t.match(lines.find(({ level }) => level === 'error')?.msg, `not ready: no key set from ${issuer.url}`)
  publish()
  await keys.find(key.kid)
  t.match(await send('GET /readyz'), { status: 200, body: { status: 'ok' } })
  await issuer.stop()
  t.match(await send('GET /readyz'), { status: 200 }, 'it needs the issuer no more')
})

t.test('GET /readyz is 503 while the issuer has no usable key', async (t) => {
  const issuer = await startIssuer(t, [{ ...key.jwk, e: 'AQ' }])
  const { send, keys } = await startResource(t, { JWKS_URL: issuer.url })
  await t.rejects(keys.find(key.kid), { code: 'unavailable' })
  isProblem(t, await send('GET /readyz'), 'unavailable')
})

t.test('with keys in a file the service is ready at once', async (t) => {
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [key.jwk] }) })
  const { send } = await startResource(t, { JWKS_FILE: join(dir, 'jwks.json') })
  t.match(await send('GET /readyz'), { status: 200, body: { status: 'ok' } })
})
