/**
 * Says why a URL with a user or password could be misread, or nothing if it is plain (RFC 3986 §2, §3.2.1). Programs
 * read such URLs differently, mostly without an error.
 */
export function faultOfUrl(url: string): string | undefined {
  const [, authority = '', rest = ''] = /^[^/?#]*(?:\/\/)?([^/?#]*)(.*)$/s.exec(url) ?? []
  if (/[\s\p{Cc}]/u.test(url)) return 'has a space or a control character in it: percent-encode it, a space as %20'
  if (url.includes('#')) return 'has a # in it, and what follows would be ignored: percent-encode it as %23'
  if (/%(?![0-9a-f]{2})/i.test(url)) return 'has a % that begins no percent-encoding: write it as %25'
  if (!isText(url)) return 'has a percent-encoding in it that is no UTF-8 text'
  if (rest.includes('@')) return 'has a / or ? before an @: percent-encode them in a password, as %2F, %3F and %40'
  if (authority.split('@').length > 2) return 'has more than one @: percent-encode the one in the password as %40'
  return undefined
}

function isText(url: string): boolean {
  try {
    return !decodeURIComponent(url).includes('\0')
  } catch {
    return false
  }
}
