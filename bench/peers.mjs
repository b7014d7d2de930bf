import path from 'node:path'
import { freePort } from '../scripts/free-port.mjs'
import { startRival } from './measure.mjs'

/**
 * The peers of the auth service that npm can install, each with a database of its own. Only their first start makes tables.
 *
 * @param {import('./pair.mjs').Pair} pair
 */
export async function openPeers(pair) {
  const databases = { betterAuth: await pair.createDatabase(), oidcProvider: await pair.createDatabase() }
  const env = async (/** @type {string} */ DATABASE_URL) => ({ DATABASE_URL, PORT: String(await freePort()) })
  const KEY_FILE = path.join(pair.keys, 'access', 'current.private.pem')
  return {
    /** @param {import('./cores.mjs').Where} [where] */
    betterAuth: async (where) => startRival('better-auth', await env(databases.betterAuth), where),
    /** @param {import('./cores.mjs').Where} [where] */
    oidcProvider: async (where) =>
      startRival('oidc-provider', { KEY_FILE, ...(await env(databases.oidcProvider)) }, where)
  }
}
