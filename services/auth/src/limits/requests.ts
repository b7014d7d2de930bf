import rateLimit from '@fastify/rate-limit'
import type { App } from '@latchkey/service/app'
import { Problem } from '@latchkey/tokens/errors'
import type { onRequestAsyncHookHandler, onRequestHookHandler } from 'fastify'

/** An `onRequest` hook that counts a request of a client address, and refuses it with 429 when there were too many. */
export type LimitRequests = onRequestHookHandler | onRequestAsyncHookHandler

// Retry-After is the one header that the API promises; it comes with the problem.
const UNDOCUMENTED = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
  'retry-after': false
}

/**
 * Makes the limit that the routes with credentials share: one count a client address (IPv6: a /64) and minute, in memory.
 *
 * 0 a minute is no limit.
 */
export async function limitRequests(app: App, perMinute: number): Promise<LimitRequests> {
  if (perMinute === 0) return async () => {}
  await app.register(rateLimit, { global: false, addHeaders: UNDOCUMENTED, addHeadersOnExceeding: UNDOCUMENTED })
  return app.rateLimit({
    max: perMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) => new Problem('too_many_requests', { retryAfter: ttl / 1000 })
  })
}
