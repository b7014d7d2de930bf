import type { App } from '@latchkey/frame/app-type'
import { problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'

const schema = {
  tags: ['greeting'],
  operationId: 'greet',
  summary: 'Greet the user of the access token',
  security: [{ bearer: [] }],
  response: {
    200: Type.Object({ message: Type.String(), user_id: Type.String({ format: 'uuid' }) }),
    ...problems(...TOKEN_PROBLEMS)
  }
}

/** `GET /greet`: takes the user from the token only. */
export function greet(app: App): void {
  app.get('/greet', { schema, onRequest: app.requireAccessToken }, ({ user }, reply) => {
    reply.send({ message: `Hello, ${user.preferred_username}!`, user_id: user.sub })
  })
}
