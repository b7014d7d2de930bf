import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { addressOf } from './address.mjs'
import { root } from './command.mjs'

/** @typedef {Record<string, string>} Settings */

/** The default ports of the services; the URLs in development.env have them too. */
const ports = { AUTH_PORT: '9090', RESOURCE_PORT: '8080' }

const FEED = ['FEED_URL', 'FEED_WHEN_CUT', 'FEED_CACHE_FILE']

/**
 * The settings of npm start: the environment wins, then .env, then development.env. Empty counts as unset.
 *
 * @param {string} folder where the two files lie
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Settings & { NODE_ENV: string, DATA_DIR: string, HOST: string, AUTH_PORT: string, RESOURCE_PORT: string }}
 */
export function readSettings(folder, environment) {
  /** @type {Settings & typeof ports} */
  const chosen = { ...ports, ...read(folder, '.env'), ...withoutEmpty(environment) }
  // The defaults contain the address of the auth service. So they have to follow its host and port.
  const auth = addressOf(chosen['HOST'] ?? '127.0.0.1', chosen.AUTH_PORT)
  const defaults = read(folder, 'development.env', (text) =>
    text.replaceAll(`http://127.0.0.1:${ports.AUTH_PORT}`, auth)
  )
  // If the key set is named as a file, there must be no default URL of another one.
  if ('JWKS_FILE' in chosen) delete defaults['JWKS_URL']
  // Nobody asks a feed that is off.
  if (chosen['REVOCATION_FEED'] === 'off') for (const name of FEED) delete defaults[name]
  return { NODE_ENV: 'development', DATA_DIR: './data', HOST: '127.0.0.1', ...defaults, ...chosen }
}

/**
 * The folder of the database that npm start runs itself; undefined if the settings name another database.
 *
 * @param {ReturnType<typeof readSettings>} settings
 */
export function ownDatabaseFolder(settings) {
  if ('DATABASE_URL' in settings || 'DATABASE_URL_FILE' in settings) return undefined
  if ('MIGRATION_DATABASE_URL' in settings || 'MIGRATION_DATABASE_URL_FILE' in settings)
    throw new Error('MIGRATION_DATABASE_URL is set without DATABASE_URL: set both for a database of yours, or neither.')
  return path.resolve(root, settings.DATA_DIR, 'pg')
}

/**
 * The settings, with our own database in place of any other. Variables for clients of PostgreSQL (PGSSLMODE, PGOPTIONS)
 * are removed, because they are for another database.
 *
 * @param {ReturnType<typeof readSettings>} settings
 * @param {import('../tools/embedded-postgres/server.mjs').Urls} database
 */
export function withDatabase(settings, { url, serviceUrl }) {
  const own = { ...settings, DATABASE_URL: serviceUrl, MIGRATION_DATABASE_URL: url }
  return /** @type {typeof own} */ (
    Object.fromEntries(Object.entries(own).filter(([name]) => !/^PG[A-Z]+$/.test(name)))
  )
}

/** @typedef {'auth' | 'resource'} ServiceName */

/** What a service does not get: only migrations connect as the owner, and each service gets only its own secrets. */
const hidden = {
  auth: /^MIGRATION_DATABASE_URL(_FILE)?$/,
  resource: /^((MIGRATION_)?DATABASE|REDIS|SMTP)_URL(_FILE)?$|^KEYS_DIR$/
}

/**
 * Makes the environment of one service: with its own port, and with only the secrets that it needs.
 *
 * @param {Settings} settings
 * @param {ServiceName} service
 * @returns {Settings}
 */
export function environmentOf(settings, service) {
  const own = Object.entries(settings).filter(([name]) => !hidden[service].test(name))
  const port = settings[service === 'auth' ? 'AUTH_PORT' : 'RESOURCE_PORT']
  return { ...Object.fromEntries(own), PORT: port ?? '' }
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {(text: string) => string} [change]
 * @returns {Settings}
 */
function read(folder, name, change = (text) => text) {
  const file = path.join(folder, name)
  if (!existsSync(file)) return {}
  // Editors on Windows can put a byte order mark at the start of a file. It would be part of the first name.
  return withoutEmpty(parseEnv(change(readFileSync(file, 'utf8').replace(/^\ufeff/, ''))))
}

/**
 * @param {NodeJS.Dict<string>} values
 * @returns {Settings}
 */
function withoutEmpty(values) {
  return /** @type {Settings} */ (Object.fromEntries(Object.entries(values).filter(([, value]) => value)))
}
