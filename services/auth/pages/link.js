/**
 * Reads the address and the code of the link, and takes them out of the address bar, the history and the referrer.
 *
 * They are in the fragment, which browsers send to no server.
 *
 * @returns {{ email: string, code: string }} empty where the link has none
 */
export function readLink() {
  const given = new URLSearchParams(location.hash.slice(1).replaceAll('+', '%2B'))
  if (location.hash !== '') history.replaceState(null, '', location.pathname)
  return { email: given.get('email') ?? '', code: given.get('code') ?? '' }
}
