import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '@latchkey/frame/app-type'
import { clientKey } from '@latchkey/frame/client'
import { RedisConnection } from '@latchkey/frame/redis-connection'
import { REDIS_PAUSE } from '@latchkey/frame/redis-time'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import { type Count, OwnCounts } from './own-counts.ts'
import { countInRedis } from './shared-counts.ts'
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

type Counter = (key: string) => Count | Promise<Count>

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
  const counts = new OwnCounts()
  const own: Counter = (key) => counts.count(key, WINDOW)
  if (!redisUrl) app.decorate('requestsCountedIn', () => 'own')
  const count = redisUrl ? await sharedCounter(app, redisUrl, own) : own
  return async (request) => {
    const { current, left } = await count(clientKey(request))
    if (current > perMinute) throw new Problem('too_many_requests', { retryAfter: left / 1000, limit: 'address' })
  }
}

async function sharedCounter(app: App, url: string, own: Counter): Promise<Counter> {
  const { log } = app
  let away = false
  let pauseEnds = 0
  const missed = (error: unknown) => {
    if (!away) log.warn({ err: error }, 'Redis is away: each instance counts requests for itself')
    away = true
    pauseEnds = Date.now() + REDIS_PAUSE
  }
  const found = () => {
    if (away) log.info('Redis is back')
    away = false
    pauseEnds = 0
  }
  const redis = new RedisConnection({ url, name: 'latchkey-auth', log, missed, ready: found })
  app.addHook('onClose', async () => redis.close())
  await redis.open()

  app.decorate('requestsCountedIn', () => (away ? 'own' : 'shared'))
  return async (key) => {
    if (Date.now() < pauseEnds) return own(key)
    try {
      const count = await countInRedis(redis, key, WINDOW)
      // It may have been connected all the time, and taken no writes.
      found()
      return count
    } catch (error) {
      missed(error)
      return own(key)
    }
  }
}
