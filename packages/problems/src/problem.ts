import { PROBLEMS, type ProblemCode } from './codes.ts'

/** One fault of the input: `field` is a member's name (or `body`, `query`, `path`), `message` says what is expected. */
export interface FieldError {
  readonly field: string
  readonly message: string
}

/** What a {@link Problem} may carry besides its code. */
interface ProblemOptions {
  /** Why, for the log only: it may name claims and keys, never a secret. */
  readonly reason?: string
  /** Replaces the public text of the code. */
  readonly detail?: string
  /** The faults of the input, for `invalid_input`. */
  readonly errors?: readonly FieldError[]
  /** Whole seconds for `Retry-After`, at least 1. */
  readonly retryAfter?: number
  /** The methods for `Allow`. */
  readonly allow?: readonly string[]
  readonly cause?: unknown
}

/** The one error that Latchkey throws on purpose: `code` and `detail` are its public face, `message` and `cause` its private one. */
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

/** A fault that is ours and passes, with the seconds after which a client may try again. */
export function unavailable(reason: string, retryAfter = 1, cause?: unknown): Problem {
  return new Problem('unavailable', { reason, retryAfter, cause })
}
