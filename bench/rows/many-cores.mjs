import { allowed, cores, fixed } from '../cores.mjs'
import { interleaved, load } from '../measure.mjs'
import { accessTokens, createPeople, refreshTokens } from '../people.mjs'

/** Numbers of instances, each for one core. */
const SIZES = [2, 4, 8]
/** Of one load generator, of which there is one an instance: one process could not ask for more than a few cores give. */
const CONNECTIONS = 16
const SESSIONS = 160
/** Seconds until the rate of an instance rises no more. */
const WARM = 30
/** Of one instance: all together stay below the connections that PostgreSQL takes. */
const POOL = { DATABASE_POOL_SIZE: '6' }

/** GET /greet and POST /refresh-token by several instances behind one port, beside so many times one instance on one core. */
export async function manyCores({ pair, rounds, seconds, quick }) {
  const sizes = SIZES.filter((size) => fixed && size <= Math.max(2, cores.server.length))
  if (sizes.length === 0) throw new Error('The row cores needs two cores, and taskset.')
  const database = await createPeople(pair, SESSIONS * Math.max(...sizes))
  const seen = await accessTokens(pair, 50)
  const contenders = []
  for (const size of [1, ...sizes]) {
    const on = allowed.slice(0, size)
    // The first has the issuer's port, where all of the others find the keys.
    const auth = await pair.startAuth(database, size === 1 ? undefined : 0, on, POOL, size)
    contenders.push({ size, auth, resource: await pair.startResource(on, [], {}, size) })
  }

  /** @type {Record<string, () => Promise<import('../measure.mjs').Run>>} */
  const ways = {}
  for (const { size, auth, resource } of contenders) {
    const refreshes = async (/** @type {number} */ duration) => {
      const tokens = await refreshTokens(pair, database, SESSIONS * size)
      const job = { url: auth.url, path: '/refresh-token', method: 'POST', chain: true, duration }
      return together(size, (part) => ({ ...job, tokens: tokens.filter((_, i) => i % size === part) }))
    }
    if (!quick) await refreshes(WARM)
    ways[`refresh ${size}`] = () => refreshes(seconds)
    ways[`greet ${size}`] = () =>
      together(size, () => ({ url: resource.url, path: '/greet', tokens: seen, duration: seconds }))
  }
  const found = await interleaved(ways, { warm: 1, rounds })
  await Promise.all(contenders.flatMap(({ auth, resource }) => [resource.stop(), auth.stop()]))
  return sizes.flatMap((size) => [
    rowOf('POST /refresh-token', 'refreshes/s', size, found[`refresh ${size}`], found['refresh 1']),
    rowOf('GET /greet, tokens seen before', 'requests/s', size, found[`greet ${size}`], found['greet 1'])
  ])
}

/**
 * Measures with one load generator an instance, all at once; the value is that of all.
 *
 * @param {number} size
 * @param {(part: number) => Omit<import('../load.mjs').Job, 'cores' | 'connections'>} jobOf
 */
async function together(size, jobOf) {
  const parts = Array.from({ length: size }, (_, part) => load({ ...jobOf(part), connections: CONNECTIONS }))
  const runs = await Promise.all(parts)
  return { ...runs[0], value: runs.reduce((sum, { value }) => sum + value, 0) }
}

/**
 * Where the load has no cores of its own, it takes from the instances what they would have: a bar would judge that.
 *
 * @param {string} what
 * @param {string} unit
 * @param {number} size
 * @param {import('../measure.mjs').Run[]} many
 * @param {import('../measure.mjs').Run[]} single
 */
function rowOf(what, unit, size, many, single) {
  const apart = size <= cores.server.length
  return {
    what: `${what}, ${size} instances on ${size} cores${apart ? '' : ', which load and database share: no bar'}`,
    unit,
    ours: many,
    beside: `${size} times one instance on one core`,
    other: single.map(({ value }) => ({ value: value * size })),
    ...(apart && { least: 0.9 })
  }
}
