interface Definition {
  readonly status: number
  readonly title: string
  readonly detail: string
  /**
   * The `error` of the `WWW-Authenticate: Bearer` header (RFC 6750 §3.1). An empty one makes a challenge without an
   * error, for requests without a token.
   */
  readonly challenge?: string
  /** The protocol of the `Upgrade` header (RFC 9110 §15.5.22). */
  readonly upgrade?: string
}
type Group = Record<string, Definition>

/** The codes of any service. */
const FRAME = {
  invalid_input: { status: 400, title: 'Invalid input', detail: 'The request is not as documented: see errors.' },
  not_found: { status: 404, title: 'Not found', detail: 'There is nothing at this path.' },
  method_not_allowed: { status: 405, title: 'Method not allowed', detail: 'Use a method of the Allow header.' },
  content_too_large: { status: 413, title: 'Body too large', detail: 'Send at most 64 KiB.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send the body as Content-Type: application/json.'
  },
  internal_error: { status: 500, title: 'Internal error', detail: 'This is our fault. Report it with the request_id.' },
  unavailable: { status: 503, title: 'Not available now', detail: 'Try again after the time in Retry-After.' }
} as const satisfies Group

/** The codes of a service that accepts tokens. */
const TOKENS = {
  missing_token: { status: 401, title: 'No token', challenge: '', detail: 'Send "Authorization: Bearer <token>".' },
  invalid_request: {
    status: 400,
    title: 'Malformed credentials',
    challenge: 'invalid_request',
    detail:
      'Send one Authorization header with the word Bearer, one space and one token; or, where cookies are accepted, each cookie once.'
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
    title: 'Missing permission',
    challenge: 'insufficient_scope',
    detail: 'The token is valid, but its user does not have the right to do this.'
  },
  cross_site: {
    status: 403,
    title: 'Request of another site',
    detail: 'A page of another site sent this request. Routes that use cookies refuse it.'
  }
} as const satisfies Group

/** The additional codes of the auth service. */
const AUTH = {
  invalid_credentials: {
    status: 401,
    title: 'Wrong credentials',
    challenge: '',
    detail: 'The email address or the password is wrong.'
  },
  invalid_code: {
    status: 400,
    title: 'Code refused',
    detail: 'The code is wrong, used or expired. Ask for a new one.'
  },
  renewal_too_early: {
    status: 400,
    title: 'Too early to renew',
    detail: 'The cookie is still valid. Renew it after the time in Retry-After.'
  },
  signup_closed: {
    status: 403,
    title: 'No sign-up',
    detail: 'Nobody can sign up here. Ask an administrator for an invitation.'
  },
  email_unverified: {
    status: 403,
    title: 'Address not verified',
    detail: 'Enter the code that was mailed to you, then log in.'
  },
  account_disabled: {
    status: 403,
    title: 'Account disabled',
    detail: 'This account was disabled by an administrator.'
  },
  email_taken: { status: 409, title: 'Address taken', detail: 'An account with this email address exists already.' },
  last_admin: { status: 409, title: 'Last administrator', detail: 'Make somebody else an administrator first.' },
  too_many_requests: { status: 429, title: 'Too many attempts', detail: 'Wait for the time in Retry-After.' }
} as const satisfies Group

/** The additional codes of the chat. */
const CHAT = {
  not_a_member: { status: 403, title: 'Not a member', detail: 'Join the room first.' },
  banned: { status: 403, title: 'Banned', detail: 'You are banned from this room. A moderator of it can lift that.' },
  insufficient_role: {
    status: 403,
    title: 'Missing role in the room',
    detail: 'Your role in this room does not let you do this.'
  },
  room_closed: { status: 409, title: 'Room closed', detail: 'This room is closed: it can be read, nothing more.' },
  last_owner: { status: 409, title: 'Last owner', detail: 'Make somebody else an owner of the room first.' },
  limit_reached: { status: 409, title: 'Limit reached', detail: 'There are as many of these as there may be.' },
  upgrade_required: {
    status: 426,
    title: 'WebSocket only',
    upgrade: 'websocket',
    detail: 'Connect with the WebSocket protocol, version 13, by HTTP/1.1.'
  }
} as const satisfies Group

/**
 * Every error code that Latchkey answers with, its HTTP status and its public text. The list is closed: services,
 * clients and tests look at `code`, and README.md lists exactly these.
 */
export const PROBLEMS = { ...FRAME, ...TOKENS, ...AUTH, ...CHAT }

/** One of the codes of {@link PROBLEMS}. */
export type ProblemCode = keyof typeof PROBLEMS

/** One of the codes of a service that accepts tokens but issues none. */
export type ResourceProblemCode = keyof typeof FRAME | keyof typeof TOKENS
