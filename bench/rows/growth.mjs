import { loadRefreshes } from '../loads.mjs'
import { interleaved, load } from '../measure.mjs'
import { createPeople, loginBodies } from '../people.mjs'

const SIZES = { small: 1000, large: 1_000_000 }
/** So many users, scattered over all of them, refresh and log in. */
const ACTIVE = 1000

/** Refresh and login with a thousand users, and with a million. */
export async function growth({ pair, rounds, seconds, quick }) {
  const small = await open(pair, SIZES.small)
  const large = await open(pair, SIZES.large)
  const refresh = ({ database, auth }) => {
    const options = { pair, database, auth, sessions: ACTIVE, connections: 4, duration: seconds }
    return async () => inMilliseconds(await loadRefreshes(options), options.connections)
  }
  const refreshes = await interleaved({ small: refresh(small), large: refresh(large) }, { warm: quick ? 1 : 3, rounds })
  const login = ({ auth, bodies }) => {
    const job = { url: auth.url, path: '/login', method: 'POST', bodies, connections: 1, duration: 2 * seconds }
    return async () => inMilliseconds(await load(job), job.connections)
  }
  const logins = await interleaved({ small: login(small), large: login(large) }, { warm: 1, rounds })
  await Promise.all([small.auth.stop(), large.auth.stop()])
  const row = (/** @type {string} */ name, found) => ({
    what: `${name} with 1,000,000 users`,
    unit: 'ms',
    ours: found.large,
    beside: 'with 1,000 users',
    other: found.small,
    most: 1.2
  })
  return [row('POST /refresh-token', refreshes), row('POST /login', logins)]
}

/**
 * @param {import('../pair.mjs').Pair} pair
 * @param {number} size
 */
async function open(pair, size) {
  const database = await createPeople(pair, size)
  const bodies = await loginBodies(database, ACTIVE)
  return { database, bodies, auth: await pair.startAuth(database, 0) }
}

/**
 * The mean time of one request, from the rate.
 *
 * @param {import('../measure.mjs').Run} run
 * @param {number} connections
 */
const inMilliseconds = (run, connections) => ({ ...run, value: (connections * 1000) / run.value })
