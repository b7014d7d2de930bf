import type { RedisConnections } from '@latchkey/frame/redis'
import type { Reader } from '@latchkey/metrics/open'
import type { Live } from './live/live.ts'
import type { Registry } from './sockets/registry.ts'

/** What is read of the sockets. */
interface Measured {
  readonly live: Live
  readonly registry: Registry
  readonly redis: RedisConnections | undefined
}

/** Makes the reader of sockets and subscriptions. What is counted by events is in packages/metrics. */
export function socketReader({ live, registry, redis }: Measured): Reader {
  return (set) => {
    for (const protocol of ['chat', 'graphql'] as const) {
      set('latchkey_sockets', registry.countThatSpeak(protocol), { protocol })
    }
    const { subscriptions, behind } = live.counts()
    set('latchkey_subscriptions', subscriptions)
    set('latchkey_subscriptions_behind', behind)
    if (redis) set('latchkey_notices_connected', Number(redis.isReady()))
  }
}
