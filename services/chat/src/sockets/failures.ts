import { type EventLog, emit } from '@latchkey/events/emit'
import { Problem } from '@latchkey/problems/problem'

/** The problem of whatever was thrown. What nobody foresaw is our fault. */
export function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('internal_error', { reason: 'unexpected error', cause: error })
}

/** Logs why a request was refused, as for requests of HTTP. */
export function logRefusal(log: EventLog, problem: Problem): void {
  const { code, cause, message, status } = problem
  if (status >= 500) emit(log, 'failed', { code, ...(cause !== undefined && { err: problem }) }, message)
  else emit(log, 'refused', { code }, message)
}
