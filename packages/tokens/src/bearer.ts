import { Problem } from '@latchkey/problems/problem'
import { valuesOf } from './headers.ts'

// Only the white space of HTTP (RFC 9110 §5.6.3): trim() and \s would also remove an octet 0xA0 from a token.
const BLANKS = /[ \t]+/

/**
 * Reads the bearer token of a request (RFC 6750 §2.1); the scheme may be in any letter case.
 *
 * Takes Node's `rawHeaders` (name, value, name, value …), because the parsed headers hide a second `Authorization`.
 * Throws `missing_token` without the header or with another scheme, and `invalid_request` with two headers or without
 * exactly one word after the scheme. It does not check the content of the word.
 */
export function readBearer(rawHeaders: readonly string[]): string {
  const token = findBearer(rawHeaders)
  if (token === undefined) throw new Problem('missing_token')
  return token
}

/** Tells whether a request has an Authorization header, of whatever scheme: then it does not go by cookie. */
export function hasAuthorization(rawHeaders: readonly string[]): boolean {
  return valuesOf(rawHeaders, 'authorization').length > 0
}

/** Reads an optional bearer token: without the header or with another scheme it returns nothing. */
export function findBearer(rawHeaders: readonly string[]): string | undefined {
  const [value, second] = valuesOf(rawHeaders, 'authorization')
  if (value === undefined) return undefined
  if (second !== undefined) throw new Problem('invalid_request', { reason: 'two Authorization headers' })
  const [scheme, ...words] = value.split(BLANKS).filter((word) => word !== '')
  if (scheme?.toLowerCase() !== 'bearer') return undefined
  const [token] = words
  if (token === undefined || words.length > 1) {
    throw new Problem('invalid_request', { reason: `${words.length} words after Bearer` })
  }
  return token
}
