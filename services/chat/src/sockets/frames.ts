import { hasDoubledMember, isNestedDeeper } from '@latchkey/frame/json'
import { Problem } from '@latchkey/problems/problem'
import { problemResponse } from '@latchkey/problems/response'
import type { ErrorMessage, RequestId } from './messages.ts'

/** Largest frame that a client may send, in bytes. */
export const FRAME_BYTES = 65_536

/** How deep objects and lists of a frame may be nested; requests need two levels. */
const MOST_NESTED = 32

/** A request of a client, as far as all have it. Its type and members were not looked at. */
export interface Request {
  readonly id: RequestId
  readonly type: unknown
  readonly input: Readonly<Record<string, unknown>>
}

const TEXT_ID = /^[ -~]{1,64}$/

/** Reads the text of a frame. Throws `invalid_input` if it is no request, because it is no object or has no id. */
export function readRequest(text: string): Request {
  const { id, type, ...input } = readObject(text)
  if (!isRequestId(id)) {
    throw refused('id', 'must be a whole number from 0 to 2^53-1, or 1 to 64 printable ASCII characters')
  }
  return { id, type, input }
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  if (isNestedDeeper(text, MOST_NESTED)) throw refused('frame', 'must not be nested so deep')
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused('frame', 'must be a JSON object')
  }
  if (hasDoubledMember(text)) throw refused('frame', 'must name each member once')
  return value as Readonly<Record<string, unknown>>
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' ? TEXT_ID.test(id) : Number.isSafeInteger(id) && Number(id) >= 0
}

function refused(field: string, message: string): Problem {
  return new Problem('invalid_input', { errors: [{ field, message }] })
}

/** Makes the answer to a request that was refused. */
export function errorMessage(id: RequestId | null, problem: Problem): ErrorMessage {
  const { body, headers } = problemResponse(problem, '')
  const retryAfter = headers['retry-after']
  return {
    type: 'error',
    id,
    code: body.code,
    detail: body.detail,
    ...(body.errors && { errors: body.errors }),
    ...(retryAfter !== undefined && { retry_after: Number(retryAfter) })
  }
}
