import { type TUnsafe, Type } from 'typebox'
import { text } from './settings.ts'

const NAME = /^(?=.{4,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z][a-z\d-]{0,61}[a-z\d]$/

/** The optional setting COOKIE_DOMAIN. `description` says what it does at its service. */
export function cookieDomain(description: string) {
  const check = (value: string) =>
    NAME.test(value)
      ? undefined
      : 'must be a domain in lower case with a dot in it, and no dot, port or path at its ends'
  return Type.Optional(text({ check, description }) as TUnsafe<string>)
}

/** Says that browsers will drop the cookie, or nothing: they take it only from a host of the domain (RFC 6265 §5.3). */
export function cookieDomainDoubt({
  ISSUER,
  COOKIE_DOMAIN: domain
}: {
  ISSUER: string
  COOKIE_DOMAIN?: string
}): string | undefined {
  if (domain === undefined || `.${new URL(ISSUER).hostname}`.endsWith(`.${domain}`)) return undefined
  return `COOKIE_DOMAIN (${domain}) is not the host of ISSUER or above it: a browser that signs in there drops the access cookie without a word`
}
