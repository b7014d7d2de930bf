import type { AccessClaims } from '@latchkey/tokens/claims'
import type { onRequestHookHandler } from 'fastify'
import accessTokens from './fastify-named.ts'

// The types of the names that the plugin has by default. With other names, import fastify-named and declare your own.
declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook: lets requests with a good access token through and sets `request.user`. */
    requireAccessToken: onRequestHookHandler
  }
  interface FastifyRequest {
    /** What the access token says, on routes with `requireAccessToken`. */
    user: AccessClaims
  }
}

export type { AccessTokenOptions } from './fastify-named.ts'
export default accessTokens
