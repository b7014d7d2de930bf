import { join } from 'node:path'
import { isProblem } from '@latchkey/testing/problem'
import { makeKey } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { bearer, startResource } from './app.ts'
import { startIssuer } from './issuer.ts'

const key = await makeKey()

/** A service whose feed nobody serves. */
async function startWithout(t: Test, whenCut: string) {
  const gone = await startIssuer(t, [])
  await gone.stop()
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [key.jwk] }) })
  return startResource(t, { JWKS_FILE: join(dir, 'jwks.json'), FEED_URL: gone.url, FEED_WHEN_CUT: whenCut })
}

for (const whenCut of ['refuse', 'recent']) {
  t.test(`${whenCut}: before the feed was read, nobody is greeted and the service is not ready`, async (t) => {
    const { send } = await startWithout(t, whenCut)
    isProblem(t, await send('GET /greet', bearer(key)), 'unavailable')
    isProblem(t, await send('GET /readyz'), 'unavailable')
    t.match(await send('GET /healthz'), { status: 200 })
  })
}

t.test('accept: greetings go on without the feed, and the log says so', async (t) => {
  const { send, lines } = await startWithout(t, 'accept')
  t.match(await send('GET /greet', bearer(key)), { status: 200 })
  t.match(await send('GET /readyz'), { status: 200 })
  while (!lines.some(({ level, msg }) => level === 'warn' && /revocation feed/.test(msg))) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})
