import type { RedisConnection } from '@latchkey/frame/redis-connection'
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
