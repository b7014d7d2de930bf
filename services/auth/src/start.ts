import { setTimeout as sleep } from 'node:timers/promises'
import { pruneDaily } from '@latchkey/audit/prune-daily'
import { createRefusals } from '@latchkey/audit/refusals'
import { runSealer } from '@latchkey/audit/seal'
import { openDatabase } from '@latchkey/database/pool'
import { createLogger } from '@latchkey/frame/logger'
import { warnOfPlainHttp } from '@latchkey/frame/plain-http'
import type { Service } from '@latchkey/frame/process'
import { buildApp } from './app.ts'
import { authConfig, doubts } from './config.ts'
import { createHeadSigner } from './keys/head-signer.ts'
import { openLiveKeys } from './keys/live-keys.ts'
import { keyRules } from './keys/rule.ts'
import { openMail } from './mail/open.ts'
import { serveAuthMetrics } from './metrics.ts'
import { openHashPool } from './passwords/hash-pool.ts'
import { announceLife } from './revocations/life.ts'
import { rotationWarning } from './sessions/rotation-warning.ts'
import { startSender } from './signals/sender.ts'
import { stopInOrder } from './stop.ts'
import { sweepRegularly } from './sweep.ts'

/** Longest wait of a start for a silent database, in milliseconds; without the database no key signs or verifies. */
const FIRST_LOOK = 1000

/** Reads settings and keys and makes the service, not yet listening. Throws errors that an operator can correct. */
export async function start(env: NodeJS.ProcessEnv): Promise<Service> {
  const config = authConfig(env)
  const logger = await createLogger('auth', config)
  warnOfPlainHttp(config, ['ISSUER', 'PUBLIC_URL'], logger)
  const warning = rotationWarning(config)
  for (const line of [...doubts(config), ...(warning ? [warning] : [])]) logger.warn(line)
  const database = openDatabase({ ...config, application_name: 'latchkey-auth' }, (error) =>
    logger.warn({ err: error }, 'an idle database connection was lost')
  )
  const keys = await openLiveKeys({
    dir: config.KEYS_DIR,
    database,
    rules: keyRules(config),
    log: logger,
    beforehand: () => announceLife(database, config.ACCESS_TOKEN_TTL)
  })
  process.on('SIGHUP', () => void keys.update())
  const hashPool = openHashPool(config.HASH_THREADS, (error) =>
    logger.warn({ err: error }, 'native bcrypt is not used: logins take a third longer')
  )
  logger.info({ engine: hashPool.engine }, 'the bcrypt that hashes passwords')
  const mail = await openMail(config, database, logger)
  const refusals = createRefusals({ database, log: logger })
  const opened = {
    database,
    keys,
    keysUnready: keys.unready,
    rereadKeys: keys.update,
    hashPool,
    outbox: mail.outbox,
    refusals
  }
  const app = await buildApp(config, { ...opened, logger })
  // A request that comes too early would be refused until the database has said which key signs.
  app.addHook('onReady', () => Promise.race([keys.begun, sleep(FIRST_LOOK, undefined, { ref: false })]))
  const sealer = runSealer({ database, log: logger, signer: createHeadSigner(keys.access, config.ISSUER) })
  const pruning = pruneDaily(database, logger)
  const sweeping = sweepRegularly(database, config.ACCESS_TOKEN_TTL + config.CLOCK_LEEWAY, logger)
  const signals = startSender({ database, access: keys.access, issuer: config.ISSUER, log: logger })
  await serveAuthMetrics(config, { app, database, refusals, keys, hashPool, mail })
  stopInOrder({
    app,
    log: logger,
    senders: [mail, signals],
    refusals,
    lastWork: async (sendersStopped) => {
      await Promise.all([sweeping.close(), pruning.close(), sendersStopped, keys.close(), hashPool.close()])
      await refusals.close()
      // After the last record.
      await sealer.close()
      await database.close()
    }
  })
  return { app, host: config.HOST, port: config.PORT }
}
