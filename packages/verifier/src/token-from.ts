import { hasAuthorization, readBearer } from '@latchkey/tokens/bearer'
import { readCookie, tokenCookies } from '@latchkey/tokens/cookies'
import { requireOwnSite, type SiteRequest } from '@latchkey/tokens/cross-site'
import { requireHttpUrl, requireObject, requireTexts } from './options.ts'

/**
 * Reads the access token of a request of `node:http`. Throws a `Problem`: `missing_token`, `invalid_request` or
 * `cross_site`.
 */
export type TokenFrom = (request: SiteRequest) => string

/** The access cookie of an issuer, and who may act by it. */
export interface CookieOptions {
  /** The issuer of the verifier: it decides the name of the cookie. */
  readonly issuer: string
  /** COOKIE_DOMAIN of the auth service. None. */
  readonly cookieDomain?: string | undefined
  /** Origins of pages elsewhere that may act by cookie, as browsers write them. None: only pages of the service's own host, and of the issuer's. */
  readonly origins?: readonly string[] | undefined
}

/** Reads the token from the Authorization header (RFC 6750 §2.1): the default. */
export const fromHeader: TokenFrom = ({ rawHeaders }) => readBearer(rawHeaders)

/**
 * Makes a reader of the access cookie, for pages that signed in at `POST /signin`.
 *
 * A request with another method than GET, HEAD or OPTIONS that a page of another site may have sent is refused first. Throws
 * a TypeError on an invalid option.
 */
export function fromCookie(options: CookieOptions): TokenFrom {
  requireObject(options)
  const { issuer, cookieDomain: domain, origins = [] } = options
  requireHttpUrl(issuer)
  if (domain !== undefined) requireTexts({ cookieDomain: domain })
  if (!Array.isArray(origins)) throw new TypeError('origins must be a list of texts.')
  for (const origin of origins) requireTexts({ 'each of origins': origin })
  const { name } = tokenCookies({ issuer, domain }).access
  return (request) => {
    requireOwnSite(request, { issuer, origins })
    return readCookie(request.rawHeaders, name)
  }
}

/** Makes a reader of both: with an Authorization header that alone counts, without one the cookie as {@link fromCookie}. */
export function fromHeaderOrCookie(options: CookieOptions): TokenFrom {
  const byCookie = fromCookie(options)
  return (request) => (hasAuthorization(request.rawHeaders) ? fromHeader(request) : byCookie(request))
}
