import { PROBLEMS, type ProblemCode } from '@latchkey/problems/codes'
import { type Static, type TObject, type TUnsafe, Type } from 'typebox'

/** An object of a document; its `title` is its name there. */
const FIELD_ERROR = Type.Object(
  {
    field: Type.String({ description: 'A member of the input, or body, query, path', examples: ['email'] }),
    message: Type.String({ description: 'What is expected', examples: ['is required'] })
  },
  { title: 'FieldError' }
)

/** The schema of an error answer with one of these codes (RFC 9457 §3.1). */
export function problemBody(codes: readonly ProblemCode[]) {
  return Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      code: Type.Enum([...codes], { description: 'For programs: it never changes' }),
      request_id: Type.String({ description: 'Stands in every log line of the request.' }),
      errors: Type.Optional(Type.Array(FIELD_ERROR, { description: 'With invalid_input: each fault' }))
    },
    { title: 'Problem' }
  )
}

function problemContent(codes: ProblemCode[]): object {
  return {
    description: codes.map((code) => `\`${code}\`: ${inMarkdown(PROBLEMS[code].detail)}`).join(' '),
    headers: problemHeaders(codes),
    content: { 'application/problem+json': { schema: problemBody(codes) } }
  }
}

/** Writes what stands in quotation marks as code, because OpenAPI's texts are Markdown, which swallows `<token>`. */
function inMarkdown(detail: string): string {
  return detail.replaceAll(/"([^"]*)"/g, '`$1`')
}

/** The additional headers of answers with these codes, which all have one status. */
function problemHeaders(codes: ProblemCode[]): Record<string, object> {
  const challenge = { type: 'string', description: 'How to show a token (RFC 6750 §3).' }
  const protocol = { type: 'string', description: 'The protocol to connect with (RFC 9110 §15.5.22).' }
  const version = { type: 'string', description: 'Its version (RFC 6455 §4.4).' }
  const wait = { type: 'integer', minimum: 1, description: 'After how many seconds to try again.' }
  return {
    ...(codes.some((code) => 'challenge' in PROBLEMS[code]) && { 'WWW-Authenticate': challenge }),
    ...(codes.some((code) => code === 'renewal_too_early' || [429, 503].includes(PROBLEMS[code].status)) && {
      'Retry-After': wait
    }),
    ...(codes.includes('upgrade_required') && { Upgrade: protocol, 'Sec-WebSocket-Version': version })
  }
}

/** The problems that any endpoint may answer. */
const ALWAYS: readonly ProblemCode[] = ['invalid_input', 'internal_error', 'unavailable']

/** The additional problems of an endpoint with a body. */
export const BODY_PROBLEMS = ['content_too_large', 'unsupported_media_type'] as const

/** The schema of an answer without a body, other than 204: answer it with `reply.send()`. */
export function noBody(description: string): TUnsafe<undefined> {
  return Type.Unsafe<undefined>({ type: 'null', description })
}

/** The schema of a body that a request may leave out; a missing body is `null`. */
export function optionalBody<T extends TObject>(body: T): TUnsafe<Static<T> | null | undefined> {
  return Type.Unsafe({ ...body, type: ['object', 'null'] })
}

/** Tells whether a request may have no body: there is no schema, or it is an {@link optionalBody}. */
export function needsNoBody(body: unknown): boolean {
  const type = (body as { type?: unknown } | undefined)?.type
  return body === undefined || (Array.isArray(type) && type.includes('null'))
}

/** The additional problems of an endpoint that needs a token. */
export const TOKEN_PROBLEMS = ['missing_token', 'invalid_request', 'invalid_token', 'token_expired'] as const

/** The `security` of an endpoint that takes the access token in the header. */
export const ACCESS_TOKEN: Record<string, string[]>[] = [{ accessToken: [] }]

/** The `security` of an endpoint that takes the access token in the header or as a cookie. */
export const HEADER_OR_COOKIE: Record<string, string[]>[] = [...ACCESS_TOKEN, { accessCookie: [] }]

/** The additional problems of an endpoint that changes something and also goes by cookie. */
export const ACCOUNT_PROBLEMS = [...TOKEN_PROBLEMS, 'cross_site'] as const

/** The error answers for the `response` of a route: one entry per status, with all its codes. */
export function problems(...special: ProblemCode[]): Record<number, object> {
  // In one order, so that the same codes make the same answer everywhere.
  const codes = (Object.keys(PROBLEMS) as ProblemCode[]).filter(
    (code) => special.includes(code) || ALWAYS.includes(code)
  )
  const answers: Record<number, object> = {}
  for (const status of new Set(codes.map((code) => PROBLEMS[code].status))) {
    answers[status] = problemContent(codes.filter((code) => PROBLEMS[code].status === status))
  }
  return answers
}
