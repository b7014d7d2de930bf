/**
 * Tells whether two addresses are of one repository: `git+https://host/path.git`, `ssh://git@host/path`,
 * `git@host:path`. The user, the port, the letter case of the host and `.git` at the end do not matter. An address
 * without a host equals no other.
 *
 * @param {string} one
 * @param {string} other
 */
export function isSameRepository(one, other) {
  const place = placeOf(one)
  return place !== undefined && place === placeOf(other)
}

/** @param {string} address */
function placeOf(address) {
  const [, host = '', path = ''] =
    /^(?:git\+)?(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^/:]+)(?::\d+)?\/(.+)$/.exec(address) ??
    /^(?:[^@/:]+@)?([^/:]+):(?!\/)(.+)$/.exec(address) ??
    []
  return host ? `${host.toLowerCase()}/${path.replace(/\/$/, '').replace(/\.git$/, '')}` : undefined
}
