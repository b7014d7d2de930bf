import { CommandError, root, run } from './command.mjs'
import { installMissing } from './install.mjs'
import { stopSignal } from './stop-signal.mjs'

/**
 * Runs a command of the auth service, with our arguments, on the database that npm start uses.
 *
 * @param {'admin' | 'audit'} name
 * @param {'owner' | 'service'} user of our own database
 */
export async function runOnDatabase(name, user) {
  const stop = stopSignal()
  try {
    await installMissing(stop, { tools: false })
    // Imported only now, because these files need installed packages.
    const { build } = await import('./build.mjs')
    const { runningPostgres } = await import('../tools/embedded-postgres/server.mjs')
    const { environmentOf, ownDatabaseFolder, readSettings, withDatabase } = await import('./environment.mjs')
    await build(stop)
    let settings = readSettings(root, process.env)
    const words = process.argv.slice(2)
    const folder = ownDatabaseFolder(settings)
    if (words.length > 0 && folder) {
      const database = await runningPostgres(folder)
      if (!database)
        throw new Error(
          `No database runs in ${folder}: begin with npm start and leave it running, or set DATABASE_URL.`
        )
      settings = withDatabase(settings, user === 'owner' ? { ...database, serviceUrl: database.url } : database)
    }
    const args = [`services/auth/dist/${name}.js`, ...words]
    await run(process.execPath, args, { env: environmentOf(settings, 'auth'), reads: true, signal: stop })
  } catch (error) {
    // The command has already said what was wrong.
    if (!(error instanceof CommandError))
      console.error(`npm run ${name}: ${error instanceof Error ? error.message : error}`)
    process.exitCode = error instanceof CommandError ? error.exitCode : 1
  }
}
