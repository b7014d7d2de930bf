import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { root } from './command.mjs'

/** @typedef {Record<string, string>} Settings */

/** The ports that the services have by themselves, and that development.env is written for. */
const ports = { AUTH_PORT: '9090', RESOURCE_PORT: '8080' }

/**
 * The settings of npm start: the environment wins, then .env, then development.env. Empty counts as unset.
 *
 * @param {string} folder where the two files lie
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Settings & { NODE_ENV: string, DATA_DIR: string, HOST: string, AUTH_PORT: string, RESOURCE_PORT: string }}
 */
export function readSettings(folder, environment) {
  const chosen = { ...ports, ...read(folder, '.env'), ...withoutEmpty(environment) }
  // The auth service's own address stands in the defaults, so these follow its port.
  const defaults = read(folder, 'development.env', (text) =>
    text.replaceAll(`:${ports.AUTH_PORT}`, `:${chosen.AUTH_PORT}`)
  )
  // Whoever names the key set as a file does not want the default address of another.
  if ('JWKS_FILE' in chosen) delete defaults['JWKS_URL']
  return { NODE_ENV: 'development', DATA_DIR: './data', HOST: '127.0.0.1', ...defaults, ...chosen }
}

/**
 * The folder of the database that npm start runs itself; undefined where the settings name another.
 *
 * @param {ReturnType<typeof readSettings>} settings
 */
export function ownDatabaseFolder(settings) {
  if ('DATABASE_URL' in settings || 'DATABASE_URL_FILE' in settings) return undefined
  return path.resolve(root, settings.DATA_DIR, 'pg')
}

/** @typedef {'auth' | 'resource'} ServiceName */

/**
 * One environment serves both services: each gets its own port, and the resource service, which holds no secret,
 * nothing of the auth service's.
 *
 * @param {Settings} settings
 * @param {ServiceName} service
 * @returns {Settings}
 */
export function environmentOf(settings, service) {
  if (service === 'auth') return { ...settings, PORT: settings['AUTH_PORT'] ?? '' }
  const own = Object.entries(settings).filter(([name]) => !/^(DATABASE|REDIS|SMTP)_URL(_FILE)?$|^KEYS_DIR$/.test(name))
  return { ...Object.fromEntries(own), PORT: settings['RESOURCE_PORT'] ?? '' }
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {(text: string) => string} [change]
 * @returns {Settings}
 */
function read(folder, name, change = (text) => text) {
  const file = path.join(folder, name)
  return existsSync(file) ? withoutEmpty(parseEnv(change(readFileSync(file, 'utf8')))) : {}
}

/**
 * @param {NodeJS.Dict<string>} values
 * @returns {Settings}
 */
function withoutEmpty(values) {
  return /** @type {Settings} */ (Object.fromEntries(Object.entries(values).filter(([, value]) => value)))
}
