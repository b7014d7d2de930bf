import { setTimeout as sleep } from 'node:timers/promises'
import rateLimit from '@fastify/rate-limit'
import type { App } from '@latchkey/frame/app-type'
import { clientKey } from '@latchkey/frame/client'
import { REDIS_PAUSE, redisClient } from '@latchkey/frame/redis'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'
import { OwnCounts } from './own-counts.ts'
import { Spacing } from './spacing.ts'

/** The limits for a route that hashes a password. */
export interface RequestLimit {
  /** An `onRequest` hook that counts a request of a client address, and refuses it with 429 if there were too many. */
  count(request: FastifyRequest): Promise<void>
  /** Wraps a handler: if the client was just refused, its next 429 or 503 is delayed. */
  spaced<A extends [FastifyRequest, ...unknown[]], R>(handler: (...asked: A) => Promise<R>): (...asked: A) => Promise<R>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Where requests are counted now: in Redis, or in this instance; nowhere without a limit. */
    requestsCountedIn(): 'shared' | 'own' | 'nowhere'
  }
}

type Count = ReturnType<App['createRateLimit']>

/** One minute, in milliseconds. */
const WINDOW = 60_000

/**
 * Makes the limit that all routes that hash a password share: one count per client address (IPv6: a /64) and minute.
 *
 * Instances with the same Redis count together. Without Redis, and while it is away, each counts separately.
 * `perMinute` 0 is no limit.
 */
export async function limitRequests(
  app: App,
  { perMinute, redisUrl }: { perMinute: number; redisUrl: string | undefined }
): Promise<RequestLimit> {
  const spacing = new Spacing()
  const spaced: RequestLimit['spaced'] =
    (handler) =>
    async (...asked) => {
      try {
        return await handler(...asked)
      } catch (error) {
        if (error instanceof Problem && (error.status === 429 || error.status === 503)) {
          const [request] = asked
          const names = [clientKey(request), ...(request.caller ? [request.caller.id] : [])]
          await sleep(spacing.holdOf(names, performance.now()))
        }
        throw error
      }
    }
  return { count: spaced(await counting(app, perMinute, redisUrl)), spaced }
}

async function counting(app: App, perMinute: number, redisUrl: string | undefined): Promise<RequestLimit['count']> {
  if (perMinute === 0) {
    app.decorate('requestsCountedIn', () => 'nowhere')
    return async () => {}
  }
  const own = await counter(app, perMinute)
  if (!redisUrl) app.decorate('requestsCountedIn', () => 'own')
  const count = redisUrl ? await sharedCounter(app, perMinute, redisUrl, own) : own
  return async (request) => {
    const counted = await count(request)
    if (!counted.isAllowed && counted.isExceeded) {
      throw new Problem('too_many_requests', { retryAfter: counted.ttl / 1000, limit: 'address' })
    }
  }
}

// In its own scope, because the plugin keeps one store per scope.
async function counter(app: App, max: number, redis?: Redis): Promise<Count> {
  let count: Count | undefined
  await app.register(async (scope) => {
    const keyGenerator = clientKey
    const store = redis ? { redis, nameSpace: 'latchkey:requests:' } : { store: OwnCounts }
    await scope.register(rateLimit, { global: false, max, timeWindow: WINDOW, keyGenerator, ...store })
    count = scope.createRateLimit()
  })
  return count as Count
}

async function sharedCounter(app: App, max: number, url: string, own: Count): Promise<Count> {
  const redis = await redisClient(url, 'latchkey-auth')
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

  app.decorate('requestsCountedIn', () => (away ? 'own' : 'shared'))
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
