import { Problem } from '@latchkey/problems/problem'
import { problemResponse } from '@latchkey/problems/response'

/**
 * A refusal that is thrown, in the form that error handlers of Fastify and Express understand.
 *
 * Its message is the public text of its code. The reason, for the log, is the message of its `cause`.
 */
export class Refusal extends Problem {
  /** The same as `status`: Fastify and Express answer with it by default. */
  readonly statusCode: number
  /** `www-authenticate` (RFC 6750 §3), `retry-after` and `cache-control`; both frameworks send them. */
  readonly headers: Readonly<Record<string, string>>

  constructor(problem: Problem) {
    const { reason: _private, ...options } = problem.options
    super(problem.code, { ...options, cause: problem })
    this.statusCode = problem.status
    const { 'content-type': _ofTheBody, ...headers } = problemResponse(problem, '').headers
    this.headers = headers
  }
}
