import { existsSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { startPostgres } from '../tools/embedded-postgres/server.mjs'
import { announcement } from './announcement.mjs'
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
import { makeKeys } from './keys.mjs'
import { secondsOf, withProgress } from './progress.mjs'
import { screen } from './screen.mjs'
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
  const folder = ownDatabaseFolder(settings)
  const without = whyWithoutChat(settings)
  const hasChat = settings.CHAT === 'on' && without === undefined
  /** @type {import('./environment.mjs').ServiceName[]} */
  const names = hasChat ? ['auth', 'resource', 'chat'] : ['auth', 'resource']
  // Before the work that takes a minute. Where a database runs, another npm start may have it: that is the better answer.
  if (!folder || !existsSync(path.join(folder, 'data/postmaster.pid'))) await refuseTakenPorts(settings, names)
  await makeKeys(keys, signal)
  await build(signal)
  const database =
    folder === undefined ? undefined : await withProgress('Starting the database', () => startPostgres({ folder }))
  try {
    if (database)
      settings = withDatabase(settings, database, hasChat && !hasChatDatabase(settings) ? database.chat : undefined)
    await refuseTakenPorts(settings, names)
    if (without) screen.print(without)
    // First auth's, because that of the chat keeps out of auth's database whom auth's has not let in.
    const migrated = migrate('auth', settings, signal).then(async () => {
      if (hasChat) await migrate('chat', settings, signal)
    })
    await runServices(settings, names, { migrated, signal }, () => {
      const place = { keys, folders: database && [data, database.folder], names, after: secondsOf(performance.now()) }
      screen.print(announcement(settings, place, screen))
    })
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
 * @param {readonly import('./environment.mjs').ServiceName[]} names
 */
async function refuseTakenPorts(settings, names) {
  for (const service of names) {
    const name = `${service.toUpperCase()}_PORT`
    const port = settings[name] ?? ''
    const example = `as in: ${name}=${(Number(port) + 100) % 65_536} npm start`
    await refuseTaken(settings.HOST, port, `set ${name} to another, ${example}`)
    const metrics = managementPort(settings, port)
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
