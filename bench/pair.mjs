import { execFileSync } from 'node:child_process'
import { createPrivateKey, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import pg from 'pg'
import { startPostgres } from '../scripts/embedded-postgres.mjs'
import { cores, pin, startOn } from './cores.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

export const AUDIENCE = 'latchkey'
export const PASSWORD = 'a quiet harbour at dawn'

/**
 * What the rows measure: a database, keys, and the two services, each started when a row asks for it.
 */
export async function openPair() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-'))
  const keys = path.join(folder, 'keys')
  execFileSync('bash', [path.join(root, 'scripts/generate-keys.sh'), keys], { stdio: 'ignore' })
  const server = await startPostgres({ folder: path.join(folder, 'pg') })
  pinDatabase(server.folder)
  const [authPort, resourcePort] = [await freePort(), await freePort()]
  const issuer = `http://127.0.0.1:${authPort}`
  const databases = new pg.Client(server.url)
  await databases.connect()

  /** @param {Record<string, string>} [env] */
  const startAuth = (env = {}) =>
    service('auth', issuer, {
      ISSUER: issuer,
      AUDIENCE,
      PORT: String(authPort),
      KEYS_DIR: keys,
      RATE_LIMIT_PER_MINUTE: '0',
      BCRYPT_COST: '10',
      ...env
    })
  const startResource = () =>
    service('resource', `http://127.0.0.1:${resourcePort}`, {
      ISSUER: issuer,
      AUDIENCE,
      PORT: String(resourcePort),
      JWKS_URL: `${issuer}/.well-known/jwks.json`
    })

  return {
    issuer,
    keys,
    folder,
    startAuth,
    startResource,
    /** A new database with the schema; returns its url. */
    createDatabase: async () => {
      const name = `bench_${randomUUID().replaceAll('-', '')}`
      await databases.query(`CREATE DATABASE ${name}`)
      const url = new URL(server.url)
      url.pathname = `/${name}`
      execFileSync(process.execPath, [path.join(root, 'services/auth/dist/migrate.js')], {
        env: { DATABASE_URL: url.href },
        stdio: 'ignore'
      })
      return url.href
    },
    /** So many access tokens of so many users, as the auth service would sign them. @param {number} count */
    accessTokens: (count) => accessTokens(issuer, keys, count),
    close: async () => {
      await databases.end()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
      rmSync(server.folder, { recursive: true, force: true })
    }
  }
}

/** @typedef {Awaited<ReturnType<typeof openPair>>} Pair */

/**
 * @param {'auth' | 'resource'} name
 * @param {string} url
 * @param {Record<string, string>} env
 */
async function service(name, url, env) {
  const child = startOn('server', path.join(root, 'services', name, 'dist/server.js'), { env })
  child.said.catch(() => {})
  const begun = performance.now()
  while (!(await isReady(url))) {
    if (performance.now() - begun > 30_000) throw new Error(`${name} is not ready`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return { ...child, url, ready: performance.now() - begun }
}

/** @param {string} url */
const isReady = (url) =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false
  )

/**
 * @param {string} issuer
 * @param {string} keys
 * @param {number} count
 */
async function accessTokens(issuer, keys, count) {
  const pem = readFileSync(path.join(keys, 'access/current.private.pem'), 'utf8')
  const key = createPrivateKey(pem)
  const kid = await calculateJwkThumbprint(await exportJWK(key))
  const iat = Math.floor(Date.now() / 1000)
  const sign = () =>
    new SignJWT({
      ...{
        iss: issuer,
        aud: AUDIENCE,
        sub: randomUUID(),
        client_id: 'latchkey',
        iat,
        exp: iat + 3600,
        jti: randomUUID()
      },
      ...{ token_use: 'access', sid: randomUUID(), preferred_username: 'Ada', roles: ['user'], epoch: 0 }
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid })
      .sign(key)
  /** @type {string[]} */
  const tokens = []
  while (tokens.length < count) {
    tokens.push(...(await Promise.all(Array.from({ length: Math.min(64, count - tokens.length) }, sign))))
  }
  return tokens
}

// PostgreSQL runs beside the load generator: what is measured is the service.
/** @param {string} folder */
function pinDatabase(folder) {
  const [pid] = readFileSync(path.join(folder, 'data/postmaster.pid'), 'utf8').split('\n')
  const own = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  for (const process of [pid, ...own]) pin(Number(process), cores.load)
}

/** @param {string} pid */
function parentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]
  } catch {
    return undefined
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}
