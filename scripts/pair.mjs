import net from 'node:net'
import path from 'node:path'
import { startPostgres } from '../tools/embedded-postgres/server.mjs'
import { addressOf } from './address.mjs'
import { build } from './build.mjs'
import { root, run } from './command.mjs'
import {
  hasChatDatabase,
  managementPort,
  migrationOf,
  ownDatabaseFolder,
  readSettings,
  whyWithoutChat,
  withDatabase
} from './environment.mjs'
import { firstSignup } from './first-signup.mjs'
import { makeKeys } from './keys.mjs'
import { withProgress } from './progress.mjs'
import { runServices } from './services.mjs'

/**
 * Runs the services until the signal is aborted; also a database, unless the environment names one.
 *
 * @param {AbortSignal} signal
 */
export async function runPair(signal) {
  let settings = readSettings(root, process.env)
  const keys = path.resolve(root, settings['KEYS_DIR'] ?? 'keys')
  const data = path.resolve(root, settings.DATA_DIR)
  await makeKeys(keys, signal)
  await build(signal)
  const folder = ownDatabaseFolder(settings)
  const database =
    folder === undefined ? undefined : await withProgress('Starting the database', () => startPostgres({ folder }))
  const without = whyWithoutChat(settings)
  const hasChat = settings.CHAT === 'on' && without === undefined
  try {
    if (database)
      settings = withDatabase(settings, database, hasChat && !hasChatDatabase(settings) ? database.chat : undefined)
    await refuseTakenPorts(settings, hasChat)
    if (without) console.log(without)
    // First auth's, because that of the chat keeps out of auth's database whom auth's has not let in.
    const migrated = migrate('auth', settings, signal).then(async () => {
      if (hasChat) await migrate('chat', settings, signal)
    })
    /** @type {import('./environment.mjs').ServiceName[]} */
    const names = hasChat ? ['auth', 'resource', 'chat'] : ['auth', 'resource']
    await runServices(settings, names, { migrated, signal }, () =>
      announce(settings, { keys, folders: database && [data, database.folder], hasChat })
    )
  } finally {
    await database?.stop()
  }
}

/**
 * Brings the schema of a service up to date.
 *
 * @param {'auth' | 'chat'} name
 * @param {import('./environment.mjs').Settings} settings
 * @param {AbortSignal} signal
 */
function migrate(name, settings, signal) {
  const env = migrationOf(settings, name)
  return run(process.execPath, [`services/${name}/dist/migrate.js`], { env, quiet: true, signal })
}

/**
 * @param {ReturnType<typeof readSettings>} settings
 * @param {boolean} hasChat
 */
async function refuseTakenPorts(settings, hasChat) {
  for (const name of /** @type {const} */ (['AUTH_PORT', 'RESOURCE_PORT', 'CHAT_PORT'])) {
    if (name === 'CHAT_PORT' && !hasChat) continue
    await refuseTaken(settings.HOST, settings[name], `set ${name} to another`)
    const metrics = managementPort(settings, settings[name])
    const advice = `set ${name} to another: the metrics are on the port after it`
    if (metrics) await refuseTaken(settings['MANAGEMENT_HOST'] ?? '127.0.0.1', metrics, advice)
  }
}

/**
 * @param {string} host
 * @param {string} port
 * @param {string} advice
 */
async function refuseTaken(host, port, advice) {
  const server = net.createServer()
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen({ host, port: Number(port) }, () => server.close(resolve))
  }).catch((/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.syscall === 'getaddrinfo' || error.code === 'EADDRNOTAVAIL')
      throw new Error(
        `HOST is no address of this machine (${error.message}). Set it to one, such as 127.0.0.1, or unset it; shells of conda set it to something else.`
      )
    if (error.code !== 'EADDRINUSE') throw new Error(`Cannot listen on ${host}:${port}: ${error.message}`)
    throw new Error(`Port ${port} of ${host} is taken: stop what listens there, or ${advice}.`)
  })
}

/**
 * @param {ReturnType<typeof readSettings>} settings
 * @param {object} place
 * @param {string} place.keys
 * @param {string[] | undefined} place.folders with the data; undefined: the database is not ours
 * @param {boolean} place.hasChat
 */
function announce(settings, { keys, folders, hasChat }) {
  const auth = addressOf(settings.HOST, settings.AUTH_PORT)
  const resource = addressOf(settings.HOST, settings.RESOURCE_PORT)
  const chat = addressOf(settings.HOST, settings.CHAT_PORT)
  const chatLine = hasChat ? `\n  chat      ${chat}   (${chat}/docs)` : ''
  const wipe = folders && shorten(folders).join(' ')
  const moved =
    folders && shorten(folders).length > 1
      ? '\n            (partly elsewhere, because the database’s user cannot enter this folder)'
      : ''
  console.log(`
Latchkey is ready.

  auth      ${auth}   (${auth}/docs)
  resource  ${resource}   (${resource}/docs)${chatLine}
  data      ${wipe ? `${wipe}   (to begin anew, stop and: rm -rf ${wipe})${moved}` : 'in the database of DATABASE_URL'}
  keys      ${shorten([keys])}   (not part of the data)
  mail      ${mailOf(settings)}

Sign somebody up, in another terminal (more of this in README.md, "Try it"):

${firstSignup(auth).replaceAll(/^/gm, '  ')}

Ctrl-C stops all of it.
`)
}

/**
 * Where mails go.
 *
 * @param {ReturnType<typeof readSettings>} settings
 */
function mailOf(settings) {
  if ('SMTP_URL' in settings || 'SMTP_URL_FILE' in settings) return 'by the mail server of SMTP_URL'
  const folder = path.resolve(root, settings.DATA_DIR, 'mail')
  return settings.NODE_ENV === 'development'
    ? `${shorten([folder])}/   (no SMTP_URL: each mail is a file)`
    : 'off: set SMTP_URL'
}

/**
 * The folders, relative to the repository, without those that are inside another one of them.
 *
 * @param {string[]} folders
 */
function shorten(folders) {
  const outer = folders.filter((folder) => !folders.some((other) => folder.startsWith(other + path.sep)))
  return outer.map((folder) => (folder.startsWith(root) ? path.relative(root, folder) : folder))
}
