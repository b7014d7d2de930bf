import type { App } from '@latchkey/frame/app-type'
import { problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import type { AccessClaims } from '@latchkey/verifier'
import type { onRequestHookHandler } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** As `requireAccessToken`, by the access cookie alone; sets `request.visitor`. */
    requireAccessCookie: onRequestHookHandler
  }
  interface FastifyRequest {
    /** The claims of the access cookie, on routes with `requireAccessCookie`. */
    visitor: AccessClaims
  }
}

const schema = {
  tags: ['greeting'],
  operationId: 'welcome',
  summary: 'Welcome the user of the access cookie',
  security: [{ accessCookie: [] }],
  response: {
    200: { description: 'A line of text', content: { 'text/plain': { schema: { type: 'string' } } } },
    ...problems(...TOKEN_PROBLEMS)
  }
}

/** `GET /welcome`: a page of a browser that signed in at the auth service. A name is text, and never HTML. */
export function welcome(app: App): void {
  app.get('/welcome', { schema, onRequest: app.requireAccessCookie }, ({ visitor }, reply) => {
    reply.type('text/plain; charset=utf-8').send(`Welcome ${visitor.preferred_username}!`)
  })
}
