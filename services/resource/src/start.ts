import { feedPlace } from '@latchkey/frame/feed-settings'
import { keySetPlace } from '@latchkey/frame/issuer-settings'
import { createLogger } from '@latchkey/frame/logger'
import { warnOfPlainHttp } from '@latchkey/frame/plain-http'
import type { Service } from '@latchkey/frame/process'
import type { Reader } from '@latchkey/metrics/open'
import { serveMetrics } from '@latchkey/metrics/serve'
import { openFeed, openKeySet } from '@latchkey/verifier'
import { buildApp } from './app.ts'
import { doubts, resourceConfig } from './config.ts'

/** Reads settings and keys and makes the service, not yet listening. Throws errors that an operator can correct. */
export async function start(env: NodeJS.ProcessEnv): Promise<Service> {
  const config = resourceConfig(env)
  const logger = await createLogger('resource', config)
  warnOfPlainHttp(config, ['ISSUER', 'JWKS_URL', 'FEED_URL'], logger)
  for (const line of doubts(config)) logger.warn(line)
  const keys = await openKeySet({ ...keySetPlace(config), log: logger })
  const feed = feedPlace(config)
  const revocations = feed && openFeed({ ...feed, log: logger })
  const readers: Reader[] = []
  const app = await buildApp(config, { keys, revocations, logger, measure: (reader) => readers.push(reader) })
  await serveMetrics(config, { app, groups: ['verifier'], readers })
  // Before the wait for open requests, because one of them may wait for a key.
  app.addHook('preClose', async () => {
    keys.close()
    await revocations?.close()
  })
  return { app, host: config.HOST, port: config.PORT }
}
