import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '@latchkey/frame/app-type'
import { clientKey } from '@latchkey/frame/client'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import { type Count, OwnCounts } from './own-counts.ts'
import { SharedCounts } from './shared-counts.ts'
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
  const own = (key: string) => counts.count(key, WINDOW)
  const count = redisUrl ? await sharedCounter(app, redisUrl, own) : own
  if (!redisUrl) app.decorate('requestsCountedIn', () => 'own')
  return async (request) => {
    const { current, left } = await count(clientKey(request))
    if (current > perMinute) throw new Problem('too_many_requests', { retryAfter: left / 1000, limit: 'address' })
  }
}

async function sharedCounter(app: App, redisUrl: string, own: (key: string) => Count): Promise<Counter> {
  const counts = new SharedCounts({ redisUrl, log: app.log, window: WINDOW, own })
  app.addHook('onClose', async () => counts.close())
  await counts.open()
  app.decorate('requestsCountedIn', () => (counts.isAway ? 'own' : 'shared'))
  return (key) => counts.count(key)
}
