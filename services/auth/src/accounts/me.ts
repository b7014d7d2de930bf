import type { App } from '@latchkey/frame/app-type'
import { HEADER_OR_COOKIE, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import type { Parts } from '../parts/parts.ts'
import { publicUser, USER } from '../users/fields.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'getMe',
  summary: 'Get the account of the access token',
  security: HEADER_OR_COOKIE,
  response: {
    200: USER,
    ...problems(...TOKEN_PROBLEMS)
  }
}

/** `GET /me`. */
export function me(app: App, { guards }: Pick<Parts, 'guards'>): void {
  app.get('/me', { schema, onRequest: guards.account }, async (request) => publicUser(request.caller))
}
