import { createLogger } from '@latchkey/service/logger'
import { warnOfPlainHttp } from '@latchkey/service/plain-http'
import { runService } from '@latchkey/service/process'
import { openHashPool } from './accounts/passwords.ts'
import { buildApp } from './app.ts'
import { authConfig } from './config.ts'
import { openDatabase } from './database.ts'
import { loadKeys } from './keys/folder.ts'

await runService('auth', async () => {
  const config = authConfig(process.env)
  const logger = await createLogger('auth', config)
  warnOfPlainHttp(config, ['ISSUER'], logger)
  const keys = await loadKeys(config.KEYS_DIR, (message) => logger.warn(message))
  const database = openDatabase(config, (error) => logger.warn({ err: error }, 'an idle database connection was lost'))
  const hashPool = openHashPool()
  const app = await buildApp(config, { database, keys, hashPool, logger })
  app.addHook('onClose', async () => {
    await hashPool.close()
    await database.close()
  })
  return { app, host: config.HOST, port: config.PORT }
})
