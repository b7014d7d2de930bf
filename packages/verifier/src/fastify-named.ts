import { Problem } from '@latchkey/problems/problem'
import { sendProblem } from '@latchkey/problems/response'
import type { AccessClaims } from '@latchkey/tokens/claims'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { requireFunctions, requireTexts, requireVerifier } from './options.ts'
import { Refusal } from './refusal.ts'
import { fromHeader, type TokenFrom } from './token-from.ts'
import type { TokenVerifier } from './verifier.ts'

/** The options of the plugin. Registered twice in one app, it needs other names each time. */
export interface AccessTokenOptions {
  readonly verifier: TokenVerifier
  /** The property of the request that gets the claims. `user`. */
  readonly property?: string
  /** The property of the app that gets the `onRequest` hook. `requireAccessToken`. */
  readonly hook?: string
  /** Reads the token: `fromHeader`, or what `fromCookie` or `fromHeaderOrCookie` has made. `fromHeader`. */
  readonly tokenFrom?: TokenFrom
  /**
   * What happens to a refused request: `answer` answers it as `application/problem+json`, `throw` passes a {@link
   * Refusal} on as the hook's error, for @fastify/auth or an error handler of the app. `answer`.
   */
  readonly refusals?: 'answer' | 'throw'
}

type Hook = (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => void

/** A Fastify plugin that guards routes with a verifier and answers refusals as `application/problem+json` (RFC 6750 §3, RFC 9457). */
const accessTokens: FastifyPluginAsync<AccessTokenOptions> = async (app, options) => {
  const {
    verifier,
    property = 'user',
    hook = 'requireAccessToken',
    refusals = 'answer',
    tokenFrom = fromHeader
  } = options
  requireVerifier(verifier)
  requireTexts({ property, hook })
  requireFunctions({ tokenFrom })
  if (refusals !== 'answer' && refusals !== 'throw') throw new TypeError("refusals must be 'answer' or 'throw'.")
  if (app.hasRequestDecorator(property)) {
    throw new Error(`request.${property} is another plugin's: name this one otherwise, as in { property: 'caller' }.`)
  }
  if (app.hasDecorator(hook)) {
    throw new Error(`app.${hook} is another plugin's: name this one otherwise, as in { hook: 'requireCaller' }.`)
  }
  app.decorateRequest(property, null)
  app.decorate(hook, guard({ verifier, property, refusals, tokenFrom }) as onRequestHookHandler)
}

// A callback, not a promise: a token that was seen before passes synchronously.
function guard({ verifier, property, refusals, tokenFrom }: Omit<Required<AccessTokenOptions>, 'hook'>): Hook {
  return (request, reply, next) => {
    const pass = (claims: AccessClaims) => {
      const decorated = request as unknown as Record<string, AccessClaims>
      decorated[property] = claims
      next()
    }
    const refuse = (error: Error) => {
      if (!(error instanceof Problem)) next(error)
      else if (refusals === 'throw') next(new Refusal(error))
      else answer(error, request, reply)
    }
    let token: string
    let known: AccessClaims | undefined
    try {
      token = tokenFrom(request.raw)
      known = verifier.recall(token)
    } catch (error) {
      refuse(error as Error)
      return
    }
    if (known) pass(known)
    else verifier.verify(token, { traceparent: request.raw.headers['traceparent'] }).then(pass, refuse)
  }
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  request.log[problem.status >= 500 ? 'error' : 'info']({ code: problem.code }, problem.message)
  sendProblem(reply, problem, String(request.id))
}

export default fp(accessTokens, { name: '@latchkey/verifier', fastify: '5.x' })
