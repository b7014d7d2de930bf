// What more than one row asks of the auth service.
import { cores } from './cores.mjs'
import { load } from './measure.mjs'
import { loginBodies, refreshTokens } from './people.mjs'

/**
 * Measures refreshes of so many sessions, each with its newest token.
 *
 * @param {object} options
 * @param {import('./pair.mjs').Pair} options.pair
 * @param {string} options.database
 * @param {{ url: string }} options.auth
 * @param {number} options.sessions
 * @param {number} options.connections
 * @param {number} options.duration seconds
 */
export async function loadRefreshes({ pair, database, auth, sessions, connections, duration }) {
  const tokens = await refreshTokens(pair, database, sessions)
  return load({ url: auth.url, path: '/refresh-token', method: 'POST', tokens, chain: true, connections, duration })
}

/**
 * A job of logins: enough at once that no hashing thread waits for work, and few enough that no login waits for 3 s.
 *
 * @param {object} options
 * @param {string} options.database
 * @param {{ url: string }} options.auth
 * @param {number} options.people
 * @param {number} options.duration seconds
 */
export async function warmLogins({ database, auth, people, duration }) {
  const bodies = await loginBodies(database, people)
  const job = { url: auth.url, path: '/login', method: 'POST', bodies, connections: 4 * cores.server.length, duration }
  // One at a time, until the hashing threads are warm: who is refused here would ask again at once, and for ever.
  await load({ ...job, connections: 1 })
  return job
}
