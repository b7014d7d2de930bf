import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { addressOf } from './address.mjs'
import { root } from './command.mjs'

/** @typedef {Record<string, string>} Settings */

/** The default ports of the services; the URLs in development.env have them too. */
const ports = { AUTH_PORT: '9090', RESOURCE_PORT: '8080', CHAT_PORT: '8090' }

const FEED = ['FEED_URL', 'FEED_WHEN_CUT', 'FEED_CACHE_FILE', 'CHAT_FEED_CACHE_FILE']

/**
 * The settings of npm start: the environment wins, then .env, then development.env. Empty counts as unset.
 *
 * @param {string} folder where the two files lie
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Settings & typeof ports & { NODE_ENV: string, DATA_DIR: string, HOST: string, CHAT: string }}
 */
export function readSettings(folder, environment) {
  /** @type {Settings & typeof ports} */
  const chosen = { ...ports, ...read(folder, '.env'), ...withoutEmpty(environment) }
  // The defaults contain the address of the auth service. So they have to follow its host and port.
  const [auth, chat] = [chosen.AUTH_PORT, chosen.CHAT_PORT].map((port) =>
    addressOf(chosen['HOST'] ?? '127.0.0.1', port)
  )
  const defaults = read(folder, 'development.env', (text) =>
    text
      .replaceAll(`http://127.0.0.1:${ports.AUTH_PORT}`, String(auth))
      .replaceAll(`http://127.0.0.1:${ports.CHAT_PORT}`, String(chat))
      .replaceAll(`http://localhost:${ports.CHAT_PORT}`, `http://localhost:${chosen.CHAT_PORT}`)
  )
  // If the key set is named as a file, there must be no default URL of another one.
  if ('JWKS_FILE' in chosen) delete defaults['JWKS_URL']
  // Only the page of the chat needs it.
  if (chosen['CHAT'] === 'off') delete defaults['CORS_ORIGINS']
  // Nobody asks a feed that is off.
  if (chosen['REVOCATION_FEED'] === 'off') for (const name of FEED) delete defaults[name]
  const settings = {
    NODE_ENV: 'development',
    DATA_DIR: './data',
    HOST: '127.0.0.1',
    CHAT: 'on',
    ...defaults,
    ...chosen
  }
  if (!['on', 'off'].includes(settings.CHAT))
    throw new Error('CHAT must be on or off: whether npm start runs the chat.')
  return settings
}

/**
 * The folder of the database that npm start runs itself; undefined if the settings name another database.
 *
 * @param {ReturnType<typeof readSettings>} settings
 */
export function ownDatabaseFolder(settings) {
  if (hasSetting(settings, 'DATABASE_URL')) return undefined
  if (hasSetting(settings, 'MIGRATION_DATABASE_URL'))
    throw new Error('MIGRATION_DATABASE_URL is set without DATABASE_URL: set both for a database of yours, or neither.')
  return path.resolve(root, settings.DATA_DIR, 'pg')
}

/**
 * Whether a setting is there, itself or as a file that holds it.
 *
 * @param {Settings} settings
 * @param {string} name
 */
export function hasSetting(settings, name) {
  return name in settings || `${name}_FILE` in settings
}

/**
 * Whether the settings name a database of the chat.
 *
 * @param {Settings} settings
 */
export function hasChatDatabase(settings) {
  return hasSetting(settings, 'CHAT_DATABASE_URL')
}

/**
 * Says why npm start leaves the chat out, though CHAT is on; nothing if it does not.
 *
 * @param {ReturnType<typeof readSettings>} settings
 */
export function whyWithoutChat(settings) {
  if (settings.CHAT === 'off' || ownDatabaseFolder(settings) !== undefined || hasChatDatabase(settings))
    return undefined
  return 'The chat is left out: DATABASE_URL is set, and CHAT_DATABASE_URL, a database of its own, is not. CHAT=off says so in silence.'
}

/**
 * The settings, with our own database in place of any other. Variables for clients of PostgreSQL (PGSSLMODE, PGOPTIONS)
 * are removed, because they are for another database.
 *
 * @param {ReturnType<typeof readSettings>} settings
 * @param {Pick<import('../tools/embedded-postgres/server.mjs').Urls, 'url' | 'serviceUrl'>} database
 * @param {{ url: string, serviceUrl: string }} [chat] the database of the chat on the same server, which its migration makes
 */
export function withDatabase(settings, { url, serviceUrl }, chat) {
  const ofChat = chat && {
    CHAT_DATABASE_URL: chat.serviceUrl,
    CHAT_MIGRATION_DATABASE_URL: chat.url,
    CHAT_ADMIN_DATABASE_URL: url
  }
  const own = { ...settings, DATABASE_URL: serviceUrl, MIGRATION_DATABASE_URL: url, ...ofChat }
  return /** @type {typeof own} */ (
    Object.fromEntries(Object.entries(own).filter(([name]) => !/^PG[A-Z]+$/.test(name)))
  )
}

/** @typedef {'auth' | 'resource' | 'chat'} ServiceName */

/** What the services do not get: each gets only its own secrets. */
const hidden = {
  auth: /^CHAT(_|$)/,
  resource: /^((MIGRATION_)?DATABASE|REDIS|SMTP)_URL(_FILE)?$|^KEYS_DIR$|^CHAT(_|$)/,
  chat: /^((MIGRATION_)?DATABASE|SMTP)_URL(_FILE)?$|^KEYS_DIR$|^CHAT$/
}

/** Settings of the chat that others have too. */
const ofChat = /^CHAT_/

/** Only migrations connect as these. */
const owners = /^(MIGRATION|ADMIN)_DATABASE_URL(_FILE)?$/

/**
 * Makes the environment of one service: with its own ports, and with only the secrets that it needs.
 *
 * @param {Settings} settings
 * @param {ServiceName} service
 * @returns {Settings}
 */
export function environmentOf(settings, service) {
  const port = settings[`${service.toUpperCase()}_PORT`] ?? ''
  const own = Object.entries(migrationOf(settings, service)).filter(([name]) => !owners.test(name))
  const metrics = managementPort(settings, port)
  // Empty is unset, also if it is set for all.
  return { ...Object.fromEntries(own), PORT: port, MANAGEMENT_PORT: metrics ?? '' }
}

/**
 * The port of the metrics of a service: the one after its own; none if that is the port of another service.
 *
 * @param {Settings} settings
 * @param {string} port of the service
 */
export function managementPort(settings, port) {
  const next = String(Number(port) + 1)
  return Object.keys(ports).some((name) => settings[name] === next) ? undefined : next
}

/**
 * The environment in which a service is migrated: as its owner.
 *
 * @param {Settings} settings
 * @param {ServiceName} service
 * @returns {Settings}
 */
export function migrationOf(settings, service) {
  const own = Object.entries(settings).filter(([name]) => !hidden[service].test(name))
  // CHAT_DATABASE_URL is the chat's DATABASE_URL, and so with every other, in a file or not.
  const chats = own.filter(([name]) => ofChat.test(name)).map(([name, value]) => [name.replace(ofChat, ''), value])
  const bare = (/** @type {string} */ name) => name.replace(/_FILE$/, '')
  const taken = new Set(chats.map(([name = '']) => bare(name)))
  const shared = own.filter(([name]) => !ofChat.test(name) && !taken.has(bare(name)))
  return Object.fromEntries([...shared, ...chats])
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
