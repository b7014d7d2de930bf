import type { App } from '@latchkey/frame/app-type'
import { ACCESS_TOKEN, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'

const GREETING = Type.Object(
  {
    message: Type.String({ examples: ['Hello, Ada Lovelace!'] }),
    user_id: Type.String({ format: 'uuid', description: 'The `sub` of the token' })
  },
  { title: 'Greeting' }
)

const schema = {
  tags: ['greeting'],
  operationId: 'greet',
  summary: 'Greet the user of the access token',
  security: ACCESS_TOKEN,
  response: {
    200: GREETING,
    ...problems(...TOKEN_PROBLEMS)
  }
}

/** `GET /greet`: takes the user from the token only. */
export function greet(app: App): void {
  app.get('/greet', { schema, onRequest: app.requireAccessToken }, ({ user }, reply) => {
    reply.send({ message: `Hello, ${user.preferred_username}!`, user_id: user.sub })
  })
}
