import type { AccessClaims } from '@latchkey/tokens/claims'
import type { onRequestHookHandler } from 'fastify'
import accessTokens from './fastify-named.ts'

// The types of the default names. With other names, import fastify-named and declare your own.
declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook: accepts requests with a valid access token and sets `request.user`. */
    requireAccessToken: onRequestHookHandler
  }
  interface FastifyRequest {
    /** The claims of the access token, on routes with `requireAccessToken`. */
    user: AccessClaims
  }
}

export type { AccessTokenOptions } from './fastify-named.ts'
export default accessTokens
