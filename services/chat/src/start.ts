import { readBacklog } from '@latchkey/audit/backlog'
import { pruneDaily } from '@latchkey/audit/prune-daily'
import { createRefusals } from '@latchkey/audit/refusals'
import { runSealer } from '@latchkey/audit/seal'
import { openDatabase } from '@latchkey/database/pool'
import { feedPlace } from '@latchkey/frame/feed-settings'
import { keySetPlace } from '@latchkey/frame/issuer-settings'
import { createLogger } from '@latchkey/frame/logger'
import { warnOfPlainHttp } from '@latchkey/frame/plain-http'
import type { Service } from '@latchkey/frame/process'
import { openRedis, type RedisConnections } from '@latchkey/frame/redis'
import { lengthOf } from '@latchkey/frame/settings'
import { databaseReader } from '@latchkey/metrics/database'
import type { Reader } from '@latchkey/metrics/open'
import { serveMetrics } from '@latchkey/metrics/serve'
import { openFeed, openKeySet } from '@latchkey/verifier'
import type { FastifyBaseLogger } from 'fastify'
import { buildApp } from './app.ts'
import { type Config, chatConfig, doubts } from './config.ts'
import { SOCKET_BOUNDS } from './sockets/visits.ts'
import { sweepRegularly } from './sweep.ts'

/** Reads settings and keys and makes the service, not yet listening. Throws errors that an operator can correct. */
export async function start(env: NodeJS.ProcessEnv): Promise<Service> {
  const config = chatConfig(env)
  const logger = await createLogger('chat', config)
  warnOfPlainHttp(config, ['ISSUER', 'JWKS_URL', 'FEED_URL', 'AUTH_URL'], logger)
  for (const line of doubts(config)) logger.warn(line)
  const database = openDatabase({ ...config, application_name: 'latchkey-chat' }, (error) =>
    logger.warn({ err: error }, 'an idle database connection was lost')
  )
  const keys = await openKeySet({ ...keySetPlace(config), log: logger })
  const feed = feedPlace(config)
  const revocations = feed && openFeed({ ...feed, log: logger })
  const refusals = createRefusals({ database, log: logger })
  const socketRecords = createRefusals({ database, log: logger, bounds: SOCKET_BOUNDS })
  const redis = await openNotices(config, logger)
  const readers: Reader[] = [databaseReader({ database, refusals, backlog: () => readBacklog(database) })]
  const measure = (reader: Reader) => readers.push(reader)
  const app = await buildApp(config, { keys, revocations, database, refusals, socketRecords, redis, logger, measure })
  await serveMetrics(config, { app, groups: ['database', 'verifier', 'chat'], readers })
  const sweeping = sweepRegularly(database, logger)
  const sealer = runSealer({ database, log: logger })
  const pruning = pruneDaily(database, logger)
  // Before the wait for open requests, because one of them may wait for a key.
  app.addHook('preClose', async () => {
    keys.close()
    await revocations?.close()
  })
  app.addHook('onClose', async () => {
    redis?.close()
    await Promise.all([sweeping.close(), pruning.close()])
    await Promise.all([refusals.close(), socketRecords.close()])
    // After the last record.
    await sealer.close()
    await database.close()
  })
  return { app, host: config.HOST, port: config.PORT }
}

async function openNotices(
  { REDIS_URL: url, CATCH_UP_INTERVAL: interval }: Config,
  log: FastifyBaseLogger
): Promise<RedisConnections | undefined> {
  if (url === undefined) return undefined
  const without = `messages of other instances come up to ${lengthOf(interval)} later`
  return openRedis({ url, name: 'latchkey-chat', without, log })
}
