import { faultOfUrl } from '@latchkey/frame/connection-url'

/** Names of this machine: nobody else can read what goes there. Only these, because a name server can lie. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Longest URL, in characters. */
const LONGEST = 2000

/**
 * Says why SETs cannot be pushed to a URL, or nothing if they can: it is `https:`, or `http:` on this machine (RFC 8935
 * §5.3), and has no user, password or fragment.
 */
export function faultOfReceiverUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:\/\//i.test(text)) return 'is no URL that begins with https://'
  if (text.length > LONGEST) return `is longer than ${LONGEST} characters`
  const fault = faultOfUrl(text)
  if (fault) return fault
  if (url.username || url.password) return 'has a user or password in it: give it in --authorization-file'
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    return 'must begin with https://: only on this machine may SETs go unencrypted'
  return undefined
}

/** A URL as it may be shown: without its query, which may be a secret. */
export function shownUrl(text: string): string {
  const { origin, pathname, search } = new URL(text)
  return `${origin}${pathname}${search && '?…'}`
}
