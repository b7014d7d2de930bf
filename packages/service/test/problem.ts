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

/** The table of errors as the contract has it: written out again, so that a change of the code shows. */
const CONTRACT = {
  missing_token: { status: 401, challenge: NO_TOKEN },
  invalid_request: { status: 400, challenge: `${NO_TOKEN}, error="invalid_request"` },
  invalid_token: { status: 401, challenge: BAD_TOKEN },
  token_expired: { status: 401, challenge: BAD_TOKEN },
  invalid_credentials: { status: 401, challenge: NO_TOKEN },
  invalid_input: { status: 400 },
  account_disabled: { status: 403 },
  email_taken: { status: 409 },
  not_found: { status: 404 },
  method_not_allowed: { status: 405 },
  content_too_large: { status: 413 },
  unsupported_media_type: { status: 415 },
  too_many_requests: { status: 429 },
  internal_error: { status: 500 },
  unavailable: { status: 503 }
} as const satisfies Record<string, { status: number; challenge?: string }>

export type Code = keyof typeof CONTRACT

/**
 * Asserts that an answer is the problem of this code, member by member and header by header. With `fields` its errors
 * name exactly these; which message each has is for the test of its rule.
 */
export function isProblem(t: Test, answer: Answer, code: Code, fields?: readonly string[], message: string = code): void {
  const { status, challenge }: { status: number; challenge?: string } = CONTRACT[code]
  const { headers, body } = answer
  t.equal(answer.status, status, `${message}: status`)
  t.equal(headers['content-type'], 'application/problem+json', `${message}: content-type`)
  t.equal(headers['www-authenticate'], challenge, `${message}: www-authenticate`)
  t.equal(headers['cache-control'], 'no-store', `${message}: cache-control`)
  t.equal('retry-after' in headers, status === 429 || status === 503, `${message}: retry-after only where promised`)
  t.match(body, {
    type: `urn:latchkey:problem:${code.replaceAll('_', '-')}`,
    title: /^\S/,
    status,
    detail: /\S\.$|see errors\.$/,
    code,
    request_id: /^[0-9a-f-]{36}$/
  })
  const members = ['type', 'title', 'status', 'detail', 'code', 'request_id', ...(code === 'invalid_input' ? ['errors'] : [])]
  t.same(Object.keys(body), members, `${message}: members`)
  if (fields) {
    const errors: { field: string; message: string }[] = body.errors
    t.same(errors.map(({ field }) => field).sort(), [...fields].sort(), `${message}: fields`)
    for (const error of errors) t.match(error, { field: String, message: /^(must|is) / }, `${message}: says what is expected`)
  }
}
