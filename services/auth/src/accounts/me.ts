import type { App } from '@latchkey/service/app'
import { OF_TOKENS, problems } from '@latchkey/service/schemas'
import type { Guards } from '../guards/guards.ts'
import { publicUser, USER } from '../users/fields.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'getMe',
  summary: 'Who the access token belongs to',
  security: [{ bearer: [] }],
  response: {
    200: USER,
    ...problems(...OF_TOKENS)
  }
}

/** `GET /me`. */
export function me(app: App, { guards }: { guards: Guards }): void {
  app.get('/me', { schema, onRequest: guards.access }, async (request) => publicUser(request.caller))
}
