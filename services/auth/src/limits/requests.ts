import rateLimit from '@fastify/rate-limit'
import type { App } from '@latchkey/service/app'
import { Problem } from '@latchkey/tokens/errors'
import type { FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'
import { OwnCounts } from './own-counts.ts'

/** An `onRequest` hook that counts a request of a client address, and refuses it with 429 when there were too many. */
export type LimitRequests = (request: FastifyRequest) => Promise<void>

type Count = ReturnType<App['createRateLimit']>

/** One minute, in milliseconds. */
const WINDOW = 60_000

/** Longest wait for Redis, in milliseconds: a login must not wait for its count. */
const REDIS_TIMEOUT = 500

/** Longest pause before Redis is tried again after it was missed, in milliseconds. */
const REDIS_PAUSE = 2000

/**
 * Makes the limit that the routes with credentials share: one count a client address (IPv6: a /64) and minute.
 *
 * The instances that share a Redis count together; without one, and while it is away, each counts for itself. 0 a minute
 * is no limit.
 */
export async function limitRequests(
  app: App,
  { perMinute, redisUrl }: { perMinute: number; redisUrl: string | undefined }
): Promise<LimitRequests> {
  if (perMinute === 0) return async () => {}
  const own = await counter(app, perMinute)
  const count = redisUrl ? await sharedCounter(app, perMinute, redisUrl, own) : own
  return async (request) => {
    const counted = await count(request)
    if (!counted.isAllowed && counted.isExceeded) {
      throw new Problem('too_many_requests', { retryAfter: counted.ttl / 1000 })
    }
  }
}

// In a scope of its own: the plugin keeps one store for each.
async function counter(app: App, max: number, redis?: Redis): Promise<Count> {
  let count: Count | undefined
  await app.register(async (scope) => {
    const store = redis ? { redis, nameSpace: 'latchkey:requests:' } : { store: OwnCounts }
    await scope.register(rateLimit, { global: false, max, timeWindow: WINDOW, ...store })
    count = scope.createRateLimit()
  })
  return count as Count
}

async function sharedCounter(app: App, max: number, url: string, own: Count): Promise<Count> {
  // Read when it is needed: it takes a twentieth of a start.
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    connectionName: 'latchkey-auth',
    lazyConnect: true,
    connectTimeout: REDIS_TIMEOUT,
    commandTimeout: REDIS_TIMEOUT,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 100, REDIS_PAUSE)
  })
  let away = false
  let pauseEnds = 0
  const missed = (error: unknown) => {
    if (!away) app.log.warn({ err: error }, 'Redis is away: each instance counts requests for itself')
    away = true
    pauseEnds = Date.now() + REDIS_PAUSE
  }
  redis.on('error', missed)
  app.addHook('onClose', async () => redis.disconnect())
  await redis.connect().catch(missed)

  const shared = await counter(app, max, redis)
  return async (request) => {
    if (Date.now() < pauseEnds) return own(request)
    try {
      const counted = await shared(request)
      if (away) app.log.info('Redis is back')
      away = false
      return counted
    } catch (error) {
      missed(error)
      return own(request)
    }
  }
}
