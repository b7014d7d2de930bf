import { PROBLEMS, type ProblemCode } from './codes.ts'
import type { FieldError, Problem } from './problem.ts'

/** The body of an error answer (RFC 9457 §3.1, with Latchkey's members `code`, `request_id` and `errors`). */
interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  readonly request_id: string
  readonly errors?: readonly FieldError[]
}

/** Makes the HTTP form of a problem: headers with lower-case names, and the body of `application/problem+json`. */
export function problemResponse(
  problem: Problem,
  requestId: string
): { headers: Record<string, string>; body: ProblemBody } {
  const { code, options, status } = problem
  const { title, detail, ...rest } = PROBLEMS[code]
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  if ('challenge' in rest) {
    headers['www-authenticate'] = `Bearer realm="latchkey"${rest.challenge && `, error="${rest.challenge}"`}`
  }
  if ('upgrade' in rest) headers['upgrade'] = rest.upgrade
  if (options.retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(options.retryAfter)))
  if (options.allow) headers['allow'] = options.allow.join(', ')
  const body: ProblemBody = {
    type: `urn:latchkey:problem:${code.replaceAll('_', '-')}`,
    title,
    status,
    detail: options.detail ?? detail,
    code,
    request_id: requestId,
    ...(options.errors && { errors: options.errors })
  }
  return { headers, body }
}

/** A reply of Fastify, or an object with the same methods. */
interface Reply {
  code(status: number): Reply
  headers(values: Record<string, string>): Reply
  serializer(write: (body: unknown) => string): Reply
  send(body: ProblemBody): unknown
}

/** Answers with a problem, whatever response schema the route has. */
export function sendProblem(reply: Reply, problem: Problem, requestId: string): void {
  const { headers, body } = problemResponse(problem, requestId)
  reply.code(problem.status).headers(headers).serializer(JSON.stringify).send(body)
}
