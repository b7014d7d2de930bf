/**
 * @typedef {object} Entry of package-lock.json
 * @property {boolean} [link] a package of this repository; `resolved` is its folder
 * @property {string} [resolved]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 * @property {string[]} [os] a variant for these platforms
 * @property {string[]} [cpu]
 */

/**
 * The packages of others that are installed to run a service, by their places in node_modules. Variants of a package for
 * platforms count as part of it.
 *
 * @param {Record<string, Entry>} locked `packages` of package-lock.json
 * @param {string} folder such as services/auth
 * @param {(name: string) => boolean} [leave] packages to leave out, with what only they need
 * @returns {string[]}
 */
export function packagesOf(locked, folder, leave = () => false) {
  const found = new Set([folder])
  for (const place of found) {
    for (const name of needsOf(locked[place]).filter((name) => !leave(name))) {
      const next = placeOf(locked, place, name)
      if (next !== undefined) found.add(next)
    }
  }
  return [...found].filter((place) => place.includes('node_modules/') && !isVariant(locked[place])).sort()
}

/**
 * The packages of others that a service and the packages of this repository that it stands on ask for themselves.
 *
 * @param {Record<string, Entry>} locked
 * @param {string} folder
 * @returns {string[]}
 */
export function askedForBy(locked, folder) {
  const own = new Set([folder])
  const names = new Set()
  for (const place of own) {
    for (const name of needsOf(locked[place])) {
      const next = placeOf(locked, place, name) ?? ''
      if (next === '' || next.includes('node_modules/')) names.add(name)
      else own.add(next)
    }
  }
  return [...names].sort()
}

/** @param {Entry | undefined} entry */
function needsOf({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = {}) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional)
  return [...new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers])]
}

/** @param {Entry | undefined} entry */
const isVariant = (entry) => entry?.os !== undefined || entry?.cpu !== undefined

/**
 * Where Node finds a package: in the nearest node_modules, from a folder upwards.
 *
 * @param {Record<string, Entry>} locked
 * @param {string} from
 * @param {string} name
 * @returns {string | undefined}
 */
function placeOf(locked, from, name) {
  const place = `${from}/node_modules/${name}`.replace(/^\//, '')
  const entry = locked[place]
  if (entry) return entry.link ? entry.resolved : place
  return from === '' ? undefined : placeOf(locked, from.replace(/(^|\/)[^/]*$/, ''), name)
}
