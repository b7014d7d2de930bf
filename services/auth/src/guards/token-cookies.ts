import { Problem } from '@latchkey/problems/problem'
import { findCookie, readCookie, type TokenCookie, tokenCookies } from '@latchkey/tokens/cookies'
import { stringifySetCookie } from 'cookie'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { TOKENS } from '../sessions/tokens.ts'

/** The answer of every endpoint that sets the cookies. */
export const SIGNED_IN = Type.Object(
  {
    username: Type.String({ examples: ['Ada Lovelace'] }),
    expires_in: Type.Integer({ description: 'Seconds until the access cookie expires', examples: [900] })
  },
  { title: 'SignedIn' }
)

/** The most bytes of name and value that browsers keep (RFC 6265bis §5.6). They silently drop a longer cookie. */
const LONGEST = 4096

/** The part of a reply that cookies need. */
interface Reply {
  header(name: string, value: string[]): unknown
}

/** Reads, sets and clears the two cookies of this service. */
export interface Cookies {
  /** Throws `invalid_request` if there are two. */
  findAccess(request: FastifyRequest): string | undefined
  /** Throws `missing_token` or `invalid_request`. */
  readAccess(request: FastifyRequest): string
  /** Throws `invalid_request` if there are two. */
  findRefresh(request: FastifyRequest): string | undefined
  /** Throws `missing_token` or `invalid_request`. */
  readRefresh(request: FastifyRequest): string
  /**
   * Sets both cookies, and returns the body of the answer. Call it last, because an error after it would be answered
   * with the cookies too. Throws `internal_error` if a browser would drop one of them.
   */
  set(reply: Reply, tokens: Static<typeof TOKENS>): Static<typeof SIGNED_IN>
  /** Clears both cookies. Only for requests that end the session: any other late answer could clear newer cookies. */
  clear(reply: Reply): void
}

/** Makes the cookies of an issuer; `domain` is COOKIE_DOMAIN. */
export function createCookies(from: { issuer: string; domain: string | undefined }): Cookies {
  const { access, refresh } = tokenCookies(from)
  return {
    findAccess: ({ raw }) => findCookie(raw.rawHeaders, access.name),
    readAccess: ({ raw }) => readCookie(raw.rawHeaders, access.name),
    findRefresh: ({ raw }) => findCookie(raw.rawHeaders, refresh.name),
    readRefresh: ({ raw }) => readCookie(raw.rawHeaders, refresh.name),
    set: (reply, { access_token, expires_in, refresh_token, refresh_expires_in, username }) => {
      const both = [write(access, access_token, expires_in), write(refresh, refresh_token, refresh_expires_in)]
      reply.header('set-cookie', both)
      return { username, expires_in }
    },
    clear: (reply) => void reply.header('set-cookie', [write(access, '', 0), write(refresh, '', 0)])
  }
}

// A browser replaces or clears a cookie only if name, path, domain and Secure are the same.
function write(cookie: TokenCookie, value: string, life: number): string {
  const length = cookie.name.length + value.length
  if (length > LONGEST) {
    const reason = `the cookie ${cookie.name} has ${length} bytes, and browsers drop one of more than ${LONGEST}: shorten AUDIENCE, or take the tokens of /login`
    throw new Problem('internal_error', { reason })
  }
  return stringifySetCookie({ ...cookie, value, maxAge: Math.max(0, Math.floor(life)) })
}
