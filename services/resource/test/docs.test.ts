import { join } from 'node:path'
import { everySchemaCompiles } from '@latchkey/testing/compiled'
import {
  everyAnswerIsNamed,
  everyObjectStandsOnce,
  everyOperationIsNamed,
  everyRefusalHasItsHeaders,
  everyTextIsShown
} from '@latchkey/testing/operations'
import { makeKey } from '@latchkey/testing/tokens'
import t from 'tap'
import { startResource } from './app.ts'

t.test('the document gives every endpoint a name, and says who may call it', async (t) => {
  const { jwk } = await makeKey()
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [jwk] }) })
  const { app, send } = await startResource(t, { JWKS_FILE: join(dir, 'jwks.json') })
  await everySchemaCompiles(t, app)
  const { body } = await send('GET /openapi.json')
  everyOperationIsNamed(t, body)
  everyRefusalHasItsHeaders(t, body)
  everyTextIsShown(t, body)
  everyAnswerIsNamed(t, body)
  everyObjectStandsOnce(t, body)
  t.match(body.components.securitySchemes, {
    accessToken: { type: 'http', scheme: 'bearer' },
    accessCookie: { type: 'apiKey', in: 'cookie' }
  })
  t.strictSame(Object.keys(body.components.schemas), ['FieldError', 'Greeting', 'Problem', 'Status'])
})
