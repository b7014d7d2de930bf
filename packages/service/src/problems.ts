import { type FieldError, Problem, problemResponse } from '@latchkey/tokens/errors'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app.ts'

/**
 * Gives an app its one way to fail: every error becomes `application/problem+json` (RFC 9457), faults of ours are
 * logged as errors and masked, everything a client did is logged at info.
 */
export function answerProblems(app: App): void {
  app.setErrorHandler((error: FastifyError, request, reply) => answer(toProblem(error), request, reply))
  app.setNotFoundHandler((request, reply) => answer(new Problem('not_found'), request, reply))
}

/** Answers errors that Fastify meets before it has found a route, such as a path that cannot be decoded. */
export function answerFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const detail = 'cannot be decoded'
  answer(new Problem('invalid_input', { errors: [{ field: 'path', message: detail }], cause: error }), request, reply)
}

/** Adds 405 with `Allow` for every path of the app; call it after the last route. */
export function refuseOtherMethods(app: App, paths: readonly string[]): void {
  for (const url of paths.filter((path) => !path.includes('*'))) {
    const allow = app.supportedMethods.filter((method) => app.hasRoute({ method, url })).sort()
    app.route({
      method: app.supportedMethods.filter((method) => !allow.includes(method)),
      url,
      schema: { hide: true },
      onRequest: async () => {
        throw new Problem('method_not_allowed', { allow })
      },
      handler: () => undefined
    })
  }
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  const level = problem.status >= 500 ? 'error' : 'info'
  // What is refused on purpose, as in a storm of logins, has nothing to tell by its stack, which is dear.
  const unexpected = level === 'error' && problem.cause !== undefined
  request.log[level]({ code: problem.code, ...(unexpected && { err: problem }) }, problem.message)
  const { headers, body } = problemResponse(problem, request.id)
  reply.code(problem.status).headers(headers).serializer(JSON.stringify).send(body)
}

function toProblem(error: FastifyError): Problem {
  if (error instanceof Problem) return error
  if (error.validation) {
    const place = PLACES[error.validationContext ?? 'body'] ?? 'body'
    const errors = error.validation.slice(0, MOST_FAULTS).map((fault) => describeFault(fault, place))
    return new Problem('invalid_input', { errors, reason: error.message })
  }
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('content_too_large')
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Problem('unsupported_media_type')
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new Problem('invalid_input', { errors: [{ field: 'body', message: 'must be JSON' }], reason: error.message })
  }
  return new Problem('internal_error', { reason: 'unexpected error', cause: error })
}

/** Faults that one answer names: a body of 64 KiB may have thousands. */
const MOST_FAULTS = 20

const PLACES: Record<string, string> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }

type Fault = NonNullable<FastifyError['validation']>[number] & { parentSchema?: { description?: string } }

function describeFault({ instancePath, keyword, params, message, parentSchema }: Fault, place: string): FieldError {
  const field = instancePath.slice(1).replaceAll('/', '.')
  if (keyword === 'required') return { field: String(params['missingProperty']), message: 'is required' }
  if (keyword === 'additionalProperties') {
    return { field: String(params['additionalProperty']), message: 'is not known here' }
  }
  const expected = keyword !== 'type' && parentSchema?.description
  return { field: field || place, message: expected ? `must be ${expected}` : (message ?? 'is not valid') }
}
