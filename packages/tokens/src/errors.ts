/**
 * Every error code that Latchkey answers with, its HTTP status and its public text. The list is closed: services,
 * clients and tests look at `code`, and README.md lists exactly these.
 *
 * `challenge` is the `error` of the `WWW-Authenticate: Bearer` header (RFC 6750 §3.1); an empty one is a challenge
 * without an error, for requests that showed no token at all.
 */
export const PROBLEMS = {
  missing_token: { status: 401, title: 'No token', challenge: '', detail: 'Send "Authorization: Bearer <token>".' },
  invalid_request: {
    status: 400,
    title: 'Malformed credentials',
    challenge: 'invalid_request',
    detail: 'Send one Authorization header with the word Bearer, one space and one token.'
  },
  invalid_token: {
    status: 401,
    title: 'Token refused',
    challenge: 'invalid_token',
    detail: 'The token is not valid here. Refresh it, or log in again.'
  },
  token_expired: {
    status: 401,
    title: 'Token expired',
    challenge: 'invalid_token',
    detail: 'The token has expired. Refresh it, or log in again.'
  },
  insufficient_scope: {
    status: 403,
    title: 'Right missing',
    challenge: 'insufficient_scope',
    detail: 'The token is valid, but its user does not have the right to do this.'
  },
  invalid_credentials: {
    status: 401,
    title: 'Wrong credentials',
    challenge: '',
    detail: 'The email address or the password is wrong.'
  },
  invalid_input: { status: 400, title: 'Invalid input', detail: 'The request is not as documented: see errors.' },
  invalid_code: {
    status: 400,
    title: 'Code refused',
    detail: 'The code is wrong, used or expired. Ask for a new one.'
  },
  renewal_too_early: { status: 400, title: 'Too early to renew', detail: 'The cookie is still good. Renew it later.' },
  cross_site: {
    status: 403,
    title: 'Foreign site',
    detail: 'Requests that go by cookie are refused from other sites.'
  },
  email_unverified: { status: 403, title: 'Address not verified', detail: 'Enter the code that was mailed to you.' },
  account_disabled: {
    status: 403,
    title: 'Account disabled',
    detail: 'This account was disabled by an administrator.'
  },
  email_taken: { status: 409, title: 'Address taken', detail: 'An account with this email address exists already.' },
  last_admin: { status: 409, title: 'Last administrator', detail: 'Make somebody else an administrator first.' },
  not_found: { status: 404, title: 'Not found', detail: 'There is nothing here by that name.' },
  method_not_allowed: { status: 405, title: 'Method not allowed', detail: 'Use a method of the Allow header.' },
  content_too_large: { status: 413, title: 'Body too large', detail: 'Send at most 64 KiB.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send the body as Content-Type: application/json.'
  },
  too_many_requests: { status: 429, title: 'Too many attempts', detail: 'Wait for the time in Retry-After.' },
  internal_error: { status: 500, title: 'Internal error', detail: 'This is our fault. Quote request_id to report it.' },
  unavailable: { status: 503, title: 'Not available now', detail: 'Try again after the time in Retry-After.' }
} as const satisfies Record<string, { status: number; title: string; detail: string; challenge?: string }>

/** One of the codes of {@link PROBLEMS}. */
export type ProblemCode = keyof typeof PROBLEMS

/** One fault of the input: `field` is a member's name (or `body`, `query`, `path`), `message` says what is expected. */
export interface FieldError {
  readonly field: string
  readonly message: string
}

/** What a {@link Problem} may carry besides its code. */
export interface ProblemOptions {
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

/** The body of an error answer (RFC 9457 §3.1, with Latchkey's members `code`, `request_id` and `errors`). */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  readonly request_id: string
  readonly errors?: readonly FieldError[]
}

/** Puts a problem into HTTP: headers with lower-case names, and the body as `application/problem+json`. */
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
