import type { App } from '@latchkey/frame/app-type'
import { OF_TOKENS, problems } from '@latchkey/frame/schemas'
import type { Parts } from '../parts/parts.ts'
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
export function me(app: App, { guards }: Pick<Parts, 'guards'>): void {
  app.get('/me', { schema, onRequest: guards.access }, async (request) => publicUser(request.caller))
}
