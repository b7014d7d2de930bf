import { reasonOf } from '@latchkey/problems/reason'
import { readTraceparent } from '@latchkey/problems/traceparent'
import { type FastifyReply, type FastifyRequest, type FastifyServerOptions, LogController } from 'fastify'
import type { AddressOf } from './client-address.ts'
import { type LoggedPath, loggedPaths } from './logged-path.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * `refusals`: the route is asked all the time, so only what it refuses is logged (4xx) and faults of the program, not
     * its answers, lost connections, and that it is not available.
     */
    logs?: 'refusals'
  }
}

/** The part of a log line that describes a request. */
export interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly ip: string
}

/**
 * Makes the logger of a request: its lines have the id of the trace that the request belongs to as `trace_id`, if the caller
 * says one.
 */
export const withTrace: NonNullable<FastifyServerOptions['childLoggerFactory']> = (
  logger,
  bindings,
  options,
  { headers }
) => {
  const trace = readTraceparent(headers['traceparent'])
  return logger.child(trace ? { ...bindings, trace_id: trace.traceId } : bindings, options)
}

/** What {@link OneLineARequest} needs from the app. */
interface RequestLogParts {
  readonly addressOf: AddressOf
  /** The paths of all routes, such as `/users/:id`; more may be added later. */
  readonly paths: ReadonlySet<string>
}

/** Logs each request once, after its answer: client, time, route and result, without text of the client. */
export class OneLineARequest extends LogController {
  readonly #addressOf: AddressOf
  readonly #pathOf: LoggedPath

  constructor({ addressOf, paths }: RequestLogParts) {
    super({ requestIdLogLabel: 'request_id' })
    this.#addressOf = addressOf
    this.#pathOf = loggedPaths(paths)
  }

  override incomingRequest(): void {}

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const { url: route, config } = request.routeOptions
    if (config?.logs === 'refusals' && (error || reply.statusCode < 400 || reply.statusCode === 503)) return
    const req: LoggedRequest = {
      method: request.method,
      path: this.#pathOf(request, route),
      ip: this.#addressOf(request.raw)
    }
    const details = { req, res: reply, ms: Math.round(reply.elapsedTime) }
    if (error) request.log.warn({ ...details, reason: reasonOf(error) }, 'connection lost while answering')
    else request.log[isProbe(route) && reply.statusCode < 400 ? 'debug' : 'info'](details, 'answered')
  }
}

// Orchestrators ask every few seconds; a good answer is not worth a line.
function isProbe(route: string | undefined): boolean {
  return route === '/healthz' || route === '/readyz'
}
