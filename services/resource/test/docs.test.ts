import { join } from 'node:path'
import { everyOperationIsNamed, everyRefusalHasItsHeaders, everyTextIsShown } from '@latchkey/testing/operations'
import { makeKey } from '@latchkey/testing/tokens'
import t from 'tap'
import { startResource } from './app.ts'

t.test('the document gives every endpoint a name, and says who may call it', async (t) => {
  const { jwk } = await makeKey()
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [jwk] }) })
  const { send } = await startResource(t, { JWKS_FILE: join(dir, 'jwks.json') })
  everyOperationIsNamed(t, (await send('GET /openapi.json')).body)
  everyRefusalHasItsHeaders(t, (await send('GET /openapi.json')).body)
  everyTextIsShown(t, (await send('GET /openapi.json')).body)
})
