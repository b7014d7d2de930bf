import { Problem } from '@latchkey/problems/problem'
import { valuesOf } from './headers.ts'

/** The part of a request that the rule looks at, as Node has it. */
export interface SiteRequest {
  readonly method?: string | undefined
  readonly rawHeaders: readonly string[]
}

/** The sites whose pages may act by cookie. */
export interface OwnSites {
  readonly issuer: string
  /** CORS_ORIGINS: origins as browsers write them. */
  readonly origins: readonly string[]
}

/** Methods that change nothing (RFC 9110 §9.2.1). Pages of other sites cannot read their answers. */
const SAFE = ['GET', 'HEAD', 'OPTIONS']

/**
 * Refuses a request that a page of another site may have made a browser send, with `cross_site` (403).
 *
 * Ask it before you look at cookies or body, on requests that go by cookie. Requests with a safe method pass. It applies
 * the table of {@link isOwnSite}.
 */
export function requireOwnSite(request: SiteRequest, sites: OwnSites): void {
  if (!SAFE.includes(request.method ?? '') && !isOwnSite(request.rawHeaders, sites)) throw new Problem('cross_site')
}

/**
 * Tells whether a request comes from a page of ours, or from no browser: a pure function. The first row that fits decides.
 *
 * | `Origin` | `Sec-Fetch-Site` | |
 * |---|---|---|
 * | one of `origins` | any | ours |
 * | any | `same-origin`, `none` | ours |
 * | any | anything else, or twice | not ours |
 * | absent | absent | no browser |
 * | that of the issuer, or with the host and port of `Host` | absent | ours |
 * | `null`, empty, twice, any other | absent | not ours |
 *
 * A browser sends the two headers itself; no script can change them (Fetch standard, forbidden request-headers).
 */
export function isOwnSite(rawHeaders: readonly string[], { issuer, origins }: OwnSites): boolean {
  const sent = valuesOf(rawHeaders, 'origin')
  const [origin] = sent
  const one = sent.length === 1 ? origin : undefined
  if (one !== undefined && origins.includes(one)) return true
  const [site, secondSite] = valuesOf(rawHeaders, 'sec-fetch-site')
  if (site !== undefined) return secondSite === undefined && (site === 'same-origin' || site === 'none')
  if (origin === undefined) return true
  const from = one === undefined ? undefined : originOf(one)?.origin
  if (one === undefined || from === undefined) return false
  return from === new URL(issuer).origin || isFromHost(one, valuesOf(rawHeaders, 'host'))
}

/** Tells whether an `Origin` has the host and port of a request's one `Host`. `null` has none. */
export function isFromHost(origin: string, hosts: readonly string[]): boolean {
  const from = originOf(origin)
  return from !== undefined && hosts.length === 1 && originOf(`${from.protocol}//${hosts[0]}`)?.origin === from.origin
}

/** Scheme, host and port alone: no user before the host, and no path after it. */
const ORIGIN = /^https?:\/\/[^\s/?#@\\]+$/i

// A URL makes letter case and default ports alike.
function originOf(text: string): URL | undefined {
  return ORIGIN.test(text) && URL.canParse(text) ? new URL(text) : undefined
}
