import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'

/** Longest wait for Redis, in milliseconds: nothing waits longer for what is only shared. */
const TIMEOUT = 500

/** Longest pause between two attempts to connect, in milliseconds. */
export const REDIS_PAUSE = 2000

/**
 * Makes a client of Redis or Valkey that is not connected yet. While the server is away its commands fail at once, and it
 * tries to connect again every two seconds or sooner; afterwards it subscribes again to what it was subscribed to.
 *
 * `name` is for the operator of the server. Listen for `error`: without a listener it prints each.
 */
export async function redisClient(url: string, name: string): Promise<Redis> {
  // Loaded only here: it takes a twentieth of a start, and a service without Redis does not install it.
  // Of a package in the older form that is in a bundle, only the default can be loaded later.
  const { default: ioredis } = await import('ioredis')
  return new ioredis.Redis(url, {
    connectionName: name,
    lazyConnect: true,
    connectTimeout: TIMEOUT,
    commandTimeout: TIMEOUT,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 100, REDIS_PAUSE)
  })
}

/** What {@link openRedis} needs. */
export interface RedisSettings {
  readonly url: string
  /** Of the connections, for the operator of the server. */
  readonly name: string
  /** What follows while it is away, for the log. */
  readonly without: string
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn'>
}

/** Two connections to one Redis, because one that subscribes takes no other commands. */
export interface RedisConnections {
  readonly commands: Redis
  readonly subscriptions: Redis
  /** Whether both are connected. */
  isReady(): boolean
  /** Calls back each time that both are connected again after one was lost. */
  onBack(listener: () => void): void
  close(): void
}

/**
 * Opens both connections; resolves when they are ready, or after the first failed attempt. It says once in the log that
 * Redis is away, and once that it is back.
 */
export async function openRedis({ url, name, without, log }: RedisSettings): Promise<RedisConnections> {
  const both = await Promise.all([redisClient(url, name), redisClient(url, `${name}-subscriptions`)])
  const [commands, subscriptions] = both
  const listeners: (() => void)[] = []
  let isAway = false
  let isClosed = false
  const isReady = () => both.every(({ status }) => status === 'ready')
  const missed = (error?: unknown) => {
    if (isAway || isClosed) return
    isAway = true
    log.warn({ err: error }, `Redis is away: ${without}`)
  }
  const ready = () => {
    if (!isAway || !isReady()) return
    isAway = false
    log.info('Redis is back')
    for (const listener of listeners) listener()
  }
  for (const client of both) client.on('error', missed).on('close', missed).on('ready', ready)
  await Promise.all(both.map((client) => client.connect().catch(missed)))
  return {
    commands,
    subscriptions,
    isReady,
    onBack: (listener) => void listeners.push(listener),
    close: () => {
      isClosed = true
      for (const client of both) client.disconnect()
    }
  }
}
