/**
 * Whether a version of Node satisfies the `engines` of package.json, as far as that is written: parts with || between
 * them, each `^1.2.3` or `>=1`.
 *
 * @param {string} version such as 20.19.0
 * @param {string} range
 */
export function satisfies(version, range) {
  const numbers = (/** @type {string} */ text) => text.split('.').map(Number)
  const [major = 0, minor = 0, patch = 0] = numbers(version)
  return range.split('||').some((part) => {
    const [, operator, least = ''] = /^\s*(\^|>=)\s*([\d.]+)\s*$/.exec(part) ?? []
    const [leastMajor = 0, leastMinor = 0, leastPatch = 0] = numbers(least)
    if (major !== leastMajor) return operator === '>=' && major > leastMajor
    return minor > leastMinor || (minor === leastMinor && patch >= leastPatch)
  })
}
