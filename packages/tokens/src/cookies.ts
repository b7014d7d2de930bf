import { Problem } from '@latchkey/problems/problem'
import { valuesOf } from './headers.ts'

/** The name and the attributes of a cookie (RFC 6265 §4.1), without its value and its life. */
export interface TokenCookie {
  readonly name: string
  /** Scripts cannot read it. */
  readonly httpOnly: true
  readonly secure: boolean
  readonly path: '/'
  readonly sameSite: 'lax' | 'strict'
  /** The domain whose hosts all get it; without one, only the host that set it. */
  readonly domain?: string
}

/** The cookies of the two kinds of tokens. */
export interface TokenCookies {
  readonly access: TokenCookie
  readonly refresh: TokenCookie
}

/**
 * Returns the two cookies of an issuer: a pure function of ISSUER and COOKIE_DOMAIN, so services agree on it unasked.
 *
 * Over https the names have a prefix (RFC 6265bis §4.1.3): browsers take `__Host-` cookies only from the host itself, so
 * no sibling host can set one. A cookie with a domain cannot have it, and gets `__Secure-`. Browsers refuse `Secure` and
 * the prefixes over http, so `http:` has neither. The refresh cookie never has a domain.
 */
export function tokenCookies({ issuer, domain }: { issuer: string; domain?: string | undefined }): TokenCookies {
  const secure = new URL(issuer).protocol === 'https:'
  const name = (word: string, prefix: string) => (secure ? `${prefix}${word}` : word)
  const base = { httpOnly: true, secure, path: '/' } as const
  return {
    access: {
      ...base,
      name: name('token', domain === undefined ? '__Host-' : '__Secure-'),
      sameSite: 'lax',
      ...(domain !== undefined && { domain })
    },
    refresh: { ...base, name: name('refresh_token', '__Host-'), sameSite: 'strict' }
  }
}

// Only the white space of HTTP. trim() also removes letters that a browser keeps: another name would become ours.
const OUTER_BLANKS = /^[ \t]+|[ \t]+$/g

/**
 * Returns the value of a cookie as it was sent, or nothing without it or without a value (RFC 6265 §5.4).
 *
 * Takes Node's `rawHeaders`. Two cookies of the name are `invalid_request`: a browser sends them if a sibling host or
 * another path has set one, and nobody can tell which is ours. Names differ by letter case. Values are not decoded:
 * tokens need no decoding.
 */
export function findCookie(rawHeaders: readonly string[], name: string): string | undefined {
  const values = valuesOf(rawHeaders, 'cookie')
    .flatMap((line) => line.split(';'))
    .flatMap((pair) => {
      const end = pair.indexOf('=')
      return end >= 0 && bare(pair.slice(0, end)) === name ? [bare(pair.slice(end + 1))] : []
    })
  if (values.length > 1) throw new Problem('invalid_request', { reason: `${values.length} cookies ${name}` })
  return values[0] || undefined
}

/** Reads a cookie as {@link findCookie}. Throws `missing_token` without it. */
export function readCookie(rawHeaders: readonly string[], name: string): string {
  const value = findCookie(rawHeaders, name)
  if (value === undefined) throw new Problem('missing_token', { detail: `Send the cookie ${name}: sign in first.` })
  return value
}

function bare(text: string): string {
  return text.replace(OUTER_BLANKS, '')
}
