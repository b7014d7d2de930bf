import type { IncomingMessage } from 'node:http'
import { emit } from '@latchkey/events/emit'
import type { AuditedName } from '@latchkey/events/events'
import { Problem } from '@latchkey/problems/problem'
import { sendProblem } from '@latchkey/problems/response'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app-type.ts'

/** Gets each problem with which a route ends a request. */
export type OnProblem = (request: FastifyRequest, problem: Problem) => void

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The event that a request of the route becomes. Its refusals are logged, counted and recorded with this name. */
    audited?: AuditedName
  }
  interface FastifyInstance {
    /** The listener of the service; {@link tell} calls it. */
    onProblem: OnProblem
  }
}

/**
 * Makes every error of an app an `application/problem+json` (RFC 9457). Faults of the service are logged as errors and
 * masked; errors of a client are logged at info.
 *
 * `onProblem` is called for each problem that hooks or handler of a route end with, also if it was answered before. It is
 * not called for unknown paths and methods, nor for an answer that comes while the handler goes on.
 */
export function answerProblems(app: App, onProblem: OnProblem = () => {}): void {
  app.decorate('onProblem', onProblem)
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = toProblem(error)
    answer(problem, request, reply)
    if (!goingOn.has(request.raw)) tell(problem, request)
  })
  app.setNotFoundHandler((request, reply) => {
    const message = pathFaults.get(request.raw)
    const errors = message === undefined ? [] : [{ field: 'path', message }]
    answer(message === undefined ? new Problem('not_found') : new Problem('invalid_input', { errors }), request, reply)
  })
}

/** The requests that were answered while their handler goes on. */
const goingOn = new WeakSet<IncomingMessage>()

// The client has its answer, whatever the listener does.
function tell(problem: Problem, request: FastifyRequest): void {
  if (request.is404 || problem.code === 'method_not_allowed') return
  try {
    request.server.onProblem(request, problem)
  } catch (error) {
    request.log.error({ err: error }, 'the listener of problems failed')
  }
}

/** What is wrong with the paths that the router refused, by request. */
const pathFaults = new WeakMap<IncomingMessage, string>()

/**
 * Answers requests that Fastify refuses before it finds a route, such as a path that cannot be decoded, as an unknown
 * path. So the hooks run and set their headers.
 */
export function answerFrameworkError(
  { code }: FastifyError,
  { raw, server }: FastifyRequest,
  reply: FastifyReply
): void {
  const { url } = raw
  const isTooLong = code === 'FST_ERR_MAX_PARAM_LENGTH'
  pathFaults.set(raw, isTooLong ? 'must have shorter parts' : 'cannot be decoded')
  raw.url = NOWHERE
  server.routing(raw, reply.raw)
  if (url !== undefined) raw.url = url
}

const NOWHERE = '/%25'

/**
 * Answers a request before its handler does, with an error or without a body. The handler's own answer is dropped. If the
 * handler fails, that is logged: a fault of the program as an error, anything else at info and without a stack.
 *
 * `hasBegun` tells that the handler goes on, so that this answer is not what becomes of the request. False by default.
 */
export function answerInstead(reply: FastifyReply, error: Error | undefined, hasBegun = false): void {
  if (hasBegun) goingOn.add(reply.request.raw)
  reply.send(error)
  // Fastify would otherwise warn about two answers.
  reply.send = () => reply
  // Fastify logs here, and nowhere else, that the handler failed after the answer: each time as an error with its stack.
  reply.log = Object.create(reply.log, {
    error: { value: ({ err }: { err: FastifyError }) => logLate(toProblem(err), reply.request) }
  })
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
  const { code, cause, message, options } = problem
  const { config } = request.routeOptions
  // Such a route says once that it is not available, not at each request.
  if (code === 'unavailable' && config?.logs === 'refusals') {
    sendProblem(reply, problem, request.id)
    return
  }
  const asked = config?.audited
  const refused = { code, ...(asked && { asked }), ...(options.limit && { limit: options.limit }) }
  // A refusal on purpose, as in a storm of logins, needs no stack, which is expensive.
  if (problem.status >= 500)
    emit(request.log, 'failed', { ...refused, ...(cause !== undefined && { err: problem }) }, message)
  else emit(request.log, 'refused', refused, message)
  sendProblem(reply, problem, request.id)
}

function logLate(problem: Problem, request: FastifyRequest): void {
  const { code, cause, message } = problem
  const text = `after the answer: ${message}`
  if (code === 'internal_error') emit(request.log, 'failed', { code, err: cause }, text)
  else emit(request.log, 'refused_late', { code }, text)
  tell(problem, request)
}

function toProblem(error: FastifyError): Problem {
  if (error instanceof Problem) return error
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('content_too_large')
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Problem('unsupported_media_type')
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new Problem('invalid_input', { errors: [{ field: 'body', message: 'must be JSON' }], reason: error.message })
  }
  return new Problem('internal_error', { reason: 'unexpected error', cause: error })
}
