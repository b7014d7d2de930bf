import { isCount } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import { REVOCATION_PLACE, REVOCATIONS_TYP, type Revocations, readPlace } from '@latchkey/tokens/revocations'
import { checkTypedHeader } from '@latchkey/tokens/rules'
import type { KeySource } from '../key-set.ts'
import { readEntries } from './entries.ts'

/** Largest answer, in bytes. A page of 10,000 entries has about 800 kB. */
export const LARGEST_ANSWER = 4 * 1024 * 1024

const MOST_NONCES = 64

/** What was asked, and of whom an answer is believed. */
export interface Question {
  readonly issuer: string
  readonly nonce: string
  /** The place after which was asked; null from the beginning. */
  readonly after: string | null
  readonly keys: KeySource
}

/** An answer with a valid signature of a held key, and valid claims. */
export interface Answer extends Revocations {
  /** The key that signed it. */
  readonly kid: string
  /** Kinds of entries that were left out. */
  readonly unknown: ReadonlySet<string>
}

/**
 * Reads an answer of the feed: a JWS in compact form (RFC 7515 §7.1), RS256, of the type of the feed, by a key of the issuer's
 * set, with the nonce of the question and the place that was asked, or null.
 *
 * Throws an error that says why it is no answer. Only an answer that looks right can cause a fetch of the key set.
 */
export async function readAnswer(text: string, { issuer, nonce, after, keys }: Question): Promise<Answer> {
  const unverified = decodeUnverified(text, LARGEST_ANSWER)
  const { kid } = checkTypedHeader(REVOCATIONS_TYP, unverified.header)
  const claims = unverified.claims as Partial<Record<keyof Revocations, unknown>>
  if (claims.iss !== issuer) throw new Error('iss is another issuer')
  if (!isNonces(claims.nonces) || !claims.nonces.includes(nonce)) throw new Error('it lacks the nonce of the question')
  if (claims.after !== null && claims.after !== after) throw new Error('it answers another place than was asked')
  const key = keys.held(kid) ?? (await keys.find(kid))
  if (!key) throw new Error('its kid is not in the key set')
  if (!key.verifies(text)) throw new Error('the signature is not that of the key')
  return { ...checked(claims), kid }
}

function isNonces(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MOST_NONCES
}

function checked(claims: Partial<Record<keyof Revocations, unknown>>): Omit<Answer, 'kid'> {
  const { iss, iat, nonces, after, to, more, complete_at } = claims as Revocations
  if (!isCount(iat)) throw new Error('iat is no time')
  if (typeof to !== 'string' || !REVOCATION_PLACE.test(to)) throw new Error('to is no place')
  if (typeof more !== 'boolean') throw new Error('more is neither true nor false')
  if (more ? complete_at !== null : !isMoment(complete_at))
    throw new Error('complete_at is no time, or not null with more')
  if (after !== null && readPlace(to).seq < readPlace(after).seq) throw new Error('it goes backwards')
  if (more && after === to) throw new Error('it says that there is more, and tells nothing')
  const { entries, unknown } = readEntries(claims.entries)
  return { iss, iat, nonces, after, to, more, complete_at, entries, unknown }
}

function isMoment(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1000
}
