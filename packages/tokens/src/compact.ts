import { isUtf8 } from 'node:buffer'
import { Problem } from '@latchkey/problems/problem'

/** A token as it was sent; trust nothing in it before its signature is checked. */
interface UnverifiedToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Longest accepted token, in characters; ours have about 1,000. */
const MAX_LENGTH = 8192

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/

/**
 * Decodes a JWS in compact form without checking its signature (RFC 7515 §7.1).
 *
 * It is stricter than the verifying libraries: at most 8 KiB (`longest`, in characters), canonical base64url (RFC 4648 §3.5: no padding, unused
 * bits zero), header and payload are JSON objects in UTF-8 without a byte order mark. Of two members with one name the
 * last counts, as in every engine that parses the token later. Throws `invalid_token`.
 */
export function decodeUnverified(token: string, longest = MAX_LENGTH): UnverifiedToken {
  const parts = token.length <= longest ? COMPACT.exec(token) : null
  const [, header = '', payload = '', signature = ''] = parts ?? []
  if (!parts || !isCanonical(signature)) throw malformed()
  return { header: parseObject(header), claims: parseObject(payload) }
}

// Buffer ignores invalid characters; only canonical text is equal after decoding and encoding.
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

function parseObject(part: string): Record<string, unknown> {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part || !isUtf8(bytes)) throw malformed()
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    throw malformed()
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return value as Record<string, unknown>
}

function malformed(): Problem {
  return new Problem('invalid_token', { reason: 'not a JWS in canonical compact form' })
}
