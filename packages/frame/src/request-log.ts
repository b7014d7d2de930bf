import { reasonOf } from '@latchkey/problems/reason'
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { AddressOf } from './client-address.ts'
import { type LoggedPath, loggedPaths } from './logged-path.ts'

/** What a line about a request says of it. */
export interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly ip: string
}

/** What {@link OneLineARequest} needs to know of the app. */
interface RequestLogParts {
  readonly addressOf: AddressOf
  /** The paths of all routes, as in `/users/:id`; they may be added later. */
  readonly paths: ReadonlySet<string>
}

/** Logs each request once, when it was answered: who, when, where, what came of it, and no text that its client wrote. */
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
    const { url: route } = request.routeOptions
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

// Orchestrators ask every few seconds; that all is well is no news.
function isProbe(route: string | undefined): boolean {
  return route === '/healthz' || route === '/readyz'
}
