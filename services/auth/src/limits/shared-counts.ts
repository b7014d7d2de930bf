import { RedisConnection } from '@latchkey/frame/redis-connection'
import { REDIS_PAUSE } from '@latchkey/frame/redis-time'
import type { FastifyBaseLogger } from 'fastify'
import type { Count } from './own-counts.ts'

/** Before each key. */
const PREFIX = 'latchkey:requests:'

/**
 * Counts in one step, so that no count can be left without an end. One that has none all the same, because somebody took
 * it away, ends a window later. So does one whose end is further off: Redis keeps it as a time of day, which moves away
 * if the clock is set back, or if a replica with a slow clock takes over.
 */
const SCRIPT = `
local window = tonumber(ARGV[1])
local current = redis.call('INCR', KEYS[1])
local left = current == 1 and -1 or redis.call('PTTL', KEYS[1])
if left < 0 or left > window then
  left = window
  redis.call('PEXPIRE', KEYS[1], left)
end
return { current, left }`

/** Counts one request for all instances. `window` is in milliseconds. Rejects where Redis does not count. */
export async function countInRedis(redis: RedisConnection, key: string, window: number): Promise<Count> {
  const counted = await redis.send('EVAL', SCRIPT, '1', `${PREFIX}${key}`, String(window))
  const [current, left] = Array.isArray(counted) ? counted : []
  if (!Number.isInteger(current) || !Number.isInteger(left)) throw new Error('Redis answered no count')
  return { current, left }
}

/** What is counted to see whether Redis counts. It is the address of nobody. */
const TRIAL = 'trial'

/** What shared counts need. */
interface SharedSettings {
  readonly redisUrl: string
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn'>
  /** In milliseconds. */
  readonly window: number
  /** Counts while Redis is away. */
  own(key: string): Count
}

/**
 * The counts of all instances with the same Redis. While it is away each counts for itself: while it is not connected,
 * answers late, or takes no writes. It is back when a trial was counted, which is made when it is connected, and then every
 * two seconds. Answers to what was asked before do not bring it back: of those that take half a second, some are late.
 */
export class SharedCounts {
  readonly #settings: SharedSettings
  readonly #redis: RedisConnection
  #isAway = false
  #isClosed = false
  #nextTrial: NodeJS.Timeout | undefined

  constructor(settings: SharedSettings) {
    this.#settings = settings
    const { redisUrl: url, log } = settings
    const missed = (error: unknown) => this.#missed(error)
    this.#redis = new RedisConnection({ url, name: 'latchkey-auth', log, missed, ready: () => void this.#try() })
  }

  /** Whether each instance counts for itself. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** Connects; resolves when that is done, or has failed once. Rejects if the URL cannot be read. */
  async open(): Promise<void> {
    await this.#redis.open()
  }

  /** Counts one request, wherever requests are counted now. */
  async count(key: string): Promise<Count> {
    const { own, window } = this.#settings
    if (this.#isAway) return own(key)
    try {
      return await countInRedis(this.#redis, key, window)
    } catch (error) {
      this.#missed(error)
      return own(key)
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#nextTrial)
    this.#redis.close()
  }

  #missed(error: unknown): void {
    if (this.#isClosed) return
    if (!this.#isAway)
      this.#settings.log.warn({ err: error }, 'Redis is away: each instance counts requests for itself')
    this.#isAway = true
    clearTimeout(this.#nextTrial)
    this.#nextTrial = setTimeout(() => void this.#try(), REDIS_PAUSE).unref()
  }

  // Never rejects.
  async #try(): Promise<void> {
    try {
      await countInRedis(this.#redis, TRIAL, this.#settings.window)
    } catch (error) {
      this.#missed(error)
      return
    }
    clearTimeout(this.#nextTrial)
    if (this.#isAway) this.#settings.log.info('Redis is back')
    this.#isAway = false
  }
}
