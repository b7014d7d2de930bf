import { PROBLEMS, type ProblemCode } from './codes.ts'

/** One fault of the input: `field` is a member's name (or `body`, `query`, `path`), `message` says what is expected. */
export interface FieldError {
  readonly field: string
  readonly message: string
}

/** The options of a {@link Problem}. */
interface ProblemOptions {
  /** The reason, only for the log: it may name claims and keys, never a secret. */
  readonly reason?: string
  /** Replaces the public text of the code. */
  readonly detail?: string
  /** The faults of the input, for `invalid_input`. */
  readonly errors?: readonly FieldError[]
  /** Whole seconds for `Retry-After`, at least 1. */
  readonly retryAfter?: number
  /** Of `too_many_requests`, for log and metrics: whose limit it is, that of an account or of a client address. */
  readonly limit?: 'account' | 'address'
  /** The methods for `Allow`. */
  readonly allow?: readonly string[]
  readonly cause?: unknown
}

/**
 * The one error that Latchkey throws on purpose. `code` and `detail` are public, `message` and `cause` are private.
 *
 * The package of the verifier has a copy of this class built in, so that what it throws comes from another class of the
 * same name: `instanceof Problem` is true for both.
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly options: ProblemOptions

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.reason ?? options.detail ?? PROBLEMS[code].detail, { cause: options.cause })
    this.code = code
    this.options = options
  }

  /** The HTTP status of the code. */
  get status(): number {
    return PROBLEMS[this.code].status
  }
}

Object.defineProperty(Problem, Symbol.hasInstance, {
  value(this: unknown, error: unknown): boolean {
    // A class that extends Problem is asked for its own instances.
    if (this !== Problem) return Function.prototype[Symbol.hasInstance].call(this as typeof Problem, error)
    return error instanceof Error && error.name === 'Problem' && 'code' in error && 'options' in error
  }
})

/** Makes the problem of a temporary fault of the service; a client may try again after `retryAfter` seconds. */
export function unavailable(reason: string, retryAfter = 1, cause?: unknown): Problem {
  return new Problem('unavailable', { reason, retryAfter, cause })
}
