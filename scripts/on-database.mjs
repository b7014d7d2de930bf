import { CommandError, root, run } from './command.mjs'
import { installMissing } from './install.mjs'
import { stopSignal } from './stop-signal.mjs'

/**
 * Runs a command of a service, with our arguments, on the database that npm start uses.
 *
 * @param {'admin' | 'audit'} name
 * @param {'owner' | 'service'} user of our own database
 * @param {typeof import('./take-service.mjs').takeService} take which service it is, and the arguments without that
 */
export async function runOnDatabase(name, user, take = (words) => ({ service: 'auth', words })) {
  const stop = stopSignal()
  try {
    const { service, words } = take(process.argv.slice(2))
    await installMissing(stop, { tools: false })
    // Imported only now, because these files need installed packages.
    const { build } = await import('./build.mjs')
    const { environmentOf, readSettings } = await import('./environment.mjs')
    await build(stop)
    let settings = readSettings(root, process.env)
    if (words.length > 0) settings = await withRunningDatabase(settings, service, user)
    const args = [`services/${service}/dist/${name}.js`, ...words]
    await run(process.execPath, args, { env: environmentOf(settings, service), reads: true, signal: stop })
  } catch (error) {
    // The command has already said what was wrong.
    if (!(error instanceof CommandError))
      console.error(`npm run ${name}: ${error instanceof Error ? error.message : error}`)
    process.exitCode = error instanceof CommandError ? error.exitCode : 1
  }
}

/**
 * The settings with the database that npm start runs, where the service has no other one.
 *
 * @param {ReturnType<typeof import('./environment.mjs').readSettings>} settings
 * @param {import('./take-service.mjs').Audited} service
 * @param {'owner' | 'service'} user
 */
async function withRunningDatabase(settings, service, user) {
  const { hasChatDatabase, ownDatabaseFolder, withDatabase } = await import('./environment.mjs')
  if (service === 'chat' && hasChatDatabase(settings)) return settings
  const folder = ownDatabaseFolder(settings)
  if (folder === undefined && service === 'chat')
    throw new Error('DATABASE_URL is set, and CHAT_DATABASE_URL, the database of the chat, is not.')
  if (folder === undefined) return settings
  const { runningPostgres } = await import('../tools/embedded-postgres/server.mjs')
  const database = await runningPostgres(folder)
  if (!database)
    throw new Error(`No database runs in ${folder}: begin with npm start and leave it running, or set DATABASE_URL.`)
  const urls = user === 'owner' ? { ...database, serviceUrl: database.url } : database
  return withDatabase(settings, urls, database.chat)
}
