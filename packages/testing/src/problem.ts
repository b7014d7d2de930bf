import type { Test } from 'tap'

/** What came back, with the body parsed where it is JSON. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any
}

const NO_TOKEN = 'Bearer realm="latchkey"'
const BAD_TOKEN = `${NO_TOKEN}, error="invalid_token"`

/** The contract's table of errors, written out again, so that a change of the code's own table shows. */
const CONTRACT: Record<string, { status: number; challenge?: string }> = {
  missing_token: { status: 401, challenge: NO_TOKEN },
  invalid_request: { status: 400, challenge: `${NO_TOKEN}, error="invalid_request"` },
  invalid_token: { status: 401, challenge: BAD_TOKEN },
  token_expired: { status: 401, challenge: BAD_TOKEN },
  invalid_credentials: { status: 401, challenge: NO_TOKEN },
  invalid_input: { status: 400 },
  insufficient_scope: { status: 403, challenge: `${NO_TOKEN}, error="insufficient_scope"` },
  invalid_code: { status: 400 },
  account_disabled: { status: 403 },
  signup_closed: { status: 403 },
  email_unverified: { status: 403 },
  renewal_too_early: { status: 400 },
  cross_site: { status: 403 },
  last_admin: { status: 409 },
  email_taken: { status: 409 },
  not_a_member: { status: 403 },
  banned: { status: 403 },
  insufficient_role: { status: 403 },
  room_closed: { status: 409 },
  last_owner: { status: 409 },
  limit_reached: { status: 409 },
  upgrade_required: { status: 426 },
  not_found: { status: 404 },
  method_not_allowed: { status: 405 },
  content_too_large: { status: 413 },
  unsupported_media_type: { status: 415 },
  too_many_requests: { status: 429 },
  internal_error: { status: 500 },
  unavailable: { status: 503 }
}

const MEMBERS = ['type', 'title', 'status', 'detail', 'code', 'request_id']
const INTERNALS = /eyJ|node_modules|\n\s+at |\.ts:\d|\bselect\b.+\bfrom\b|\binsert into\b|\bupdate\b.+\bset\b/i

/**
 * Asserts that an answer is the problem of this code, header by header and member by member, and tells nothing of the
 * inside. `fields` are the members of the request that `errors` must name.
 */
export function isProblem(t: Test, answer: Answer, code: string, fields: readonly string[] = [], about = code): void {
  const { status = 0, challenge } = CONTRACT[code] ?? {}
  const { headers, body } = answer
  const seen = {
    status: answer.status,
    code: body.code,
    'content-type': headers['content-type'],
    'www-authenticate': headers['www-authenticate'],
    'cache-control': headers['cache-control'],
    'has retry-after': 'retry-after' in headers,
    'has allow': 'allow' in headers,
    members: Object.keys(body),
    type: body.type,
    'status in the body': body.status,
    'has texts': [body.title, body.detail, body.request_id].every((text) => typeof text === 'string' && text !== ''),
    fields: (body.errors ?? []).map((error: { field: string }) => error.field).sort(),
    'says what is expected': (body.errors ?? []).every(saysWhatIsExpected),
    'tells of the inside': INTERNALS.test(JSON.stringify(body))
  }
  const expected: typeof seen = {
    status,
    code,
    'content-type': 'application/problem+json',
    'www-authenticate': challenge,
    'cache-control': 'no-store',
    'has retry-after': status === 429 || status === 503 || code === 'renewal_too_early',
    'has allow': status === 405,
    members: code === 'invalid_input' ? [...MEMBERS, 'errors'] : MEMBERS,
    type: `urn:latchkey:problem:${code.replaceAll('_', '-')}`,
    'status in the body': status,
    'has texts': true,
    fields: [...fields].sort(),
    'says what is expected': true,
    'tells of the inside': false
  }
  t.strictSame(seen, expected, printable(about))
}

function saysWhatIsExpected(error: { field: string; message: string }): boolean {
  return Object.keys(error).join() === 'field,message' && /^(must|is|cannot) /.test(error.message)
}

/** A text for the name of a test: TAP is read by lines, and some characters end one. */
export function printable(text: string): string {
  return text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
