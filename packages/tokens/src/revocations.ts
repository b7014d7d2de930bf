import { createHash } from 'node:crypto'

/** The `typ` of an answer of the revocation feed; no rule for tokens accepts it. */
export const REVOCATIONS_TYP = 'revocations+jwt'

/**
 * The kinds of entries of the revocation feed: a user (`subject`), a session, a signing key, or everybody (`all`).
 */
export const REVOCATION_KINDS = ['subject', 'session', 'key', 'all'] as const

/** A kind of entry of the revocation feed. */
export type RevocationKind = (typeof REVOCATION_KINDS)[number]

/**
 * One entry: what ended, and for how many seconds from now it has to be remembered, rounded up.
 *
 * - `subject`: the {@link revocationKey} of a `sub`, and an `epoch`: tokens with a lower one are refused.
 * - `session`: the {@link revocationKey} of a `sid`.
 * - `key`: a `kid`. It is remembered for ever.
 * - `all`: a time in whole seconds since 1970: tokens with a lower `iat` are refused.
 */
export type RevocationEntry =
  | readonly [kind: 'subject', key: string, epoch: number, seconds: number]
  | readonly [kind: 'session', key: string, number: null, seconds: number]
  | readonly [kind: 'key', kid: string, number: null, seconds: null]
  | readonly [kind: 'all', key: null, time: number, seconds: number]

/** The claims of an answer of the revocation feed. */
export interface Revocations {
  readonly iss: string
  /** When it was signed, in whole seconds since 1970 (NumericDate, RFC 7519 §2). */
  readonly iat: number
  /** The nonces of the questions that it answers, at most 64: it was signed after each of them was asked. */
  readonly nonces: readonly string[]
  /** The place from which it tells; null from the beginning. */
  readonly after: string | null
  /** The place up to which it tells; see {@link REVOCATION_PLACE}. */
  readonly to: string
  /** True if there are more entries after `to` already; then the answer does not say how complete it is. */
  readonly more: boolean
  /** The time up to which nothing is missing, in seconds since 1970 with milliseconds as decimals; null with `more`. */
  readonly complete_at: number | null
  readonly entries: readonly RevocationEntry[]
}

/** A place in the feed: a number, and the first 8 bytes of the id of the row that has it. */
export const REVOCATION_PLACE = /^(0|[1-9][0-9]{0,15})\.[0-9a-f]{16}$/

/** The number and the mark of a {@link REVOCATION_PLACE}. */
export function readPlace(place: string): { seq: number; mark: string } {
  const [seq = '', mark = ''] = place.split('.')
  return { seq: Number(seq), mark }
}

/** A nonce of a question. */
export const REVOCATION_NONCE = /^[A-Za-z0-9_-]{16,64}$/

const KEY_BYTES = 16

/** The first 16 bytes of the SHA-256 of a `sub` or `sid`, by which the feed names them. */
export function revocationHash(id: string): Buffer {
  return createHash('sha256').update(id).digest().subarray(0, KEY_BYTES)
}

/** {@link revocationHash} as base64url, as it stands in an entry: 22 characters. */
export function revocationKey(id: string): string {
  return revocationHash(id).toString('base64url')
}
