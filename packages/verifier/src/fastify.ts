import type { FastifyPluginCallback, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { readBearer } from '../../tokens/src/bearer.ts'
import type { AccessClaims } from '../../tokens/src/claims.ts'
import { Problem, problemResponse } from '../../tokens/src/errors.ts'
import type { Verifier } from './verifier.ts'

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

/** What the plugin needs: whose tokens it lets through. */
export interface AccessTokenOptions {
  readonly verifier: Verifier
}

/** A Fastify plugin that guards routes with a verifier and answers refusals as `application/problem+json` (RFC 6750 §3, RFC 9457). */
const accessTokens: FastifyPluginCallback<AccessTokenOptions> = (app, { verifier }, done) => {
  app.decorateRequest('user', null as unknown as AccessClaims)
  // With a callback and not a promise: a token seen before passes without leaving the stack.
  app.decorate('requireAccessToken', (request, reply, next) => {
    const pass = (claims: AccessClaims) => {
      request.user = claims
      next()
    }
    const refuse = (error: Error) => (error instanceof Problem ? answer(error, request, reply) : next(error))
    let token: string
    let known: AccessClaims | undefined
    try {
      token = readBearer(request.raw.rawHeaders)
      known = verifier.recall(token)
    } catch (error) {
      refuse(error as Error)
      return
    }
    if (known) pass(known)
    else verifier.verify(token).then(pass, refuse)
  })
  done()
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  request.log[problem.status >= 500 ? 'error' : 'info']({ code: problem.code }, problem.message)
  const { headers, body } = problemResponse(problem, String(request.id))
  reply.code(problem.status).headers(headers).serializer(JSON.stringify).send(body)
}

export default fp(accessTokens, { name: '@latchkey/verifier', fastify: '5.x' })
