import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { root } from '../scripts/command.mjs'
import { freePort } from '../scripts/free-port.mjs'
import { nodeFlags } from '../scripts/services.mjs'
import { startPostgres } from '../tools/embedded-postgres/server.mjs'
import { startedOn, startOn } from './cores.mjs'

export const AUDIENCE = 'latchkey'
/** Work of a password hash, here and in the rival; the least that the auth service takes, and so its greatest rate. */
export const BCRYPT_COST = '10'

/** What the rows measure: a database server, keys, and the two services, each started when a row asks for it. */
export async function openPair() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-'))
  // Root's PostgreSQL runs as somebody else, who has to get in.
  chmodSync(folder, 0o711)
  const keys = path.join(folder, 'keys')
  execFileSync('bash', [path.join(root, 'scripts/generate-keys.sh'), keys], { stdio: 'ignore' })
  // Beside the load generator: what is measured is the service.
  const server = await startedOn('load', () => startPostgres({ folder: path.join(folder, 'pg') }))
  const databases = new pg.Client(server.url)
  await databases.connect()
  const issuer = `http://127.0.0.1:${await freePort()}`
  const jwksUrl = `${issuer}/.well-known/jwks.json`

  return {
    issuer,
    jwksUrl,
    keys,
    folder,
    /**
     * The auth service, ready to serve. At the issuer's port, where verifiers find its keys, or at another.
     *
     * @param {string} databaseUrl
     * @param {string | number} [port] 0 for a free one
     * @param {import('./cores.mjs').Where} [where]
     * @param {Record<string, string>} [more] settings
     * @param {number} [instances] behind the port
     */
    startAuth: async (databaseUrl, port = new URL(issuer).port, where = 'server', more = {}, instances = 1) => {
      const limits = { RATE_LIMIT_PER_MINUTE: '0', BCRYPT_COST }
      const env = {
        ISSUER: issuer,
        AUDIENCE,
        PORT: String(port === 0 ? await freePort() : port),
        KEYS_DIR: keys,
        DATABASE_URL: databaseUrl,
        ...limits,
        ...more
      }
      return startService('auth', env, where, [], instances)
    },
    /**
     * The resource service, ready to serve; the auth service has to run.
     *
     * @param {import('./cores.mjs').Where} [where]
     * @param {string[]} [flags] of Node, beside the usual
     * @param {Record<string, string>} [more] settings
     * @param {number} [instances] behind the port
     */
    startResource: async (where = 'server', flags = [], more = {}, instances = 1) => {
      const env = { ISSUER: issuer, AUDIENCE, PORT: String(await freePort()), JWKS_URL: jwksUrl }
      return startService('resource', { ...env, ...more }, where, flags, instances)
    },
    /**
     * The chat, ready to serve; the auth service has to run.
     *
     * @param {string} databaseUrl
     * @param {Record<string, string>} [more] settings
     */
    startChat: async (databaseUrl, more = {}) => {
      const env = { ISSUER: issuer, AUDIENCE, PORT: String(await freePort()), JWKS_URL: jwksUrl }
      return startService('chat', { ...env, DATABASE_URL: databaseUrl, ...more }, 'server')
    },
    /** A new database, empty; returns its url. */
    createDatabase: async () => {
      const name = `bench_${randomUUID().replaceAll('-', '')}`
      await databases.query(`CREATE DATABASE ${name}`)
      const url = new URL(server.url)
      url.pathname = `/${name}`
      return url.href
    },
    close: async () => {
      await databases.end()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
      rmSync(server.folder, { recursive: true, force: true })
    }
  }
}

/** @typedef {Awaited<ReturnType<typeof openPair>>} Pair */

/** Makes the schema of the auth service. @param {string} databaseUrl */
export function migrate(databaseUrl) {
  execFileSync(process.execPath, [path.join(root, 'services/auth/dist/migrate.js')], {
    env: { DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'inherit']
  })
}

/**
 * @param {'auth' | 'resource' | 'chat'} name
 * @param {Record<string, string>} env
 * @param {import('./cores.mjs').Where} where
 * @param {string[]} [more] flags of Node
 * @param {number} [instances] behind one port
 */
async function startService(name, env, where, more = [], instances = 1) {
  const url = `http://127.0.0.1:${env['PORT']}`
  const begun = performance.now()
  const entry = path.join(root, 'services', name, 'dist/server.js')
  const flags = [...nodeFlags, ...more]
  const many = { ENTRY: entry, INSTANCES: String(instances) }
  const { pid, said, stop } =
    instances === 1
      ? startOn(where, entry, { env, flags })
      : startOn(where, fileURLToPath(new URL('clustered.mjs', import.meta.url)), { env: { ...env, ...many }, flags })
  if (instances > 1) await said
  while (!(await isReady(url))) {
    if (performance.now() - begun > 30_000)
      throw new Error(`The ${name} service is not ready after 30 s; --logs shows what it says.`)
    await sleep(5)
  }
  return { url, pid, stop, ready: performance.now() - begun }
}

/** @param {string} url */
const isReady = (url) =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false
  )
