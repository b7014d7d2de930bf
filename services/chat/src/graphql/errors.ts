import type { EventLog } from '@latchkey/events/emit'
import { PROBLEMS } from '@latchkey/problems/codes'
import { Problem } from '@latchkey/problems/problem'
import { GraphQLError } from 'graphql'
import { logRefusal } from '../sockets/failures.ts'

/** The request that errors belong to. */
export interface Asked {
  readonly log: EventLog
  readonly requestId: string
}

/**
 * The errors as clients see them: `extensions.code` is one of the closed list. What nobody foresaw is logged, and shown as
 * `internal_error` without its text. Each code of a request is logged once.
 */
export function shownErrors(errors: readonly GraphQLError[], { log, requestId }: Asked): GraphQLError[] {
  const logged = new Set<string>()
  return errors.map((error) => {
    const problem = problemOf(error)
    const { code, options } = problem
    if (!logged.has(code)) {
      logged.add(code)
      logRefusal(log, problem)
    }
    const { nodes, source, positions, path } = error
    return new GraphQLError(options.detail ?? PROBLEMS[code].detail, {
      nodes: nodes ?? null,
      source: source ?? null,
      positions: positions ?? null,
      path: path ?? null,
      extensions: {
        code,
        request_id: requestId,
        ...(options.errors && { errors: options.errors }),
        ...(options.retryAfter !== undefined && { retry_after: Math.max(1, Math.ceil(options.retryAfter)) })
      }
    })
  })
}

// The library's own errors are about the document and its variables, unless a field failed.
function problemOf(error: GraphQLError): Problem {
  const { originalError, message } = error
  if (originalError instanceof Problem) return originalError
  if (originalError === undefined || originalError instanceof GraphQLError) {
    return new Problem('invalid_input', { detail: message, reason: 'graphql' })
  }
  return new Problem('internal_error', { reason: 'unexpected error', cause: originalError })
}
