/** The names of this machine: cookies of one are not sent to another. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Where the page has to be to be of one site with the auth service: browsers send the cookies of `127.0.0.1` to no
 * `localhost`. Nothing if it is there, or if only an operator can mend it.
 *
 * @param {string} here
 * @param {string} authUrl
 */
export function placeBeside(here, authUrl) {
  const place = new URL(here)
  const { hostname } = new URL(authUrl)
  if (place.hostname === hostname || !LOOPBACK.includes(place.hostname) || !LOOPBACK.includes(hostname))
    return undefined
  place.hostname = hostname
  return place.href
}

/**
 * Reads which room is asked for.
 *
 * @param {string} hash as in `#room=…&code=…`
 * @returns {{ room?: string, code?: string }}
 */
export function readHash(hash) {
  const given = new URLSearchParams(hash.slice(1))
  const [room, code] = [given.get('room'), given.get('code')]
  return { ...(room && { room }), ...(code && { code }) }
}
