import { RedisConnection } from '@latchkey/frame/redis-connection'
import { between } from '@latchkey/testing/between'
import { SKIPS_REDIS, startRedis } from '@latchkey/testing/redis-server'
import t from 'tap'
import { countInRedis } from '../src/limits/shared-counts.ts'

const WINDOW = 60_000

t.test('counts in Redis', { skip: SKIPS_REDIS }, async (t) => {
  const { url } = await startRedis(t)
  const log = { warn: () => {} }
  const redis = new RedisConnection({ url, name: 'latchkey-test', log, missed: (error) => t.fail(String(error)) })
  t.teardown(() => redis.close())
  await redis.open()
  const count = async (key: string) => (await countInRedis(redis, key, WINDOW)).current

  await t.test('each key has a count of its own, also of many at once', async (t) => {
    t.strictSame(await Promise.all(['a', 'a', 'b', 'a'].map(count)), [1, 2, 1, 3])
  })

  await t.test('a window begins with its first request, and none makes it longer', async (t) => {
    await count('c')
    await redis.send('PEXPIRE', 'latchkey:requests:c', '20000')
    const { current, left } = await countInRedis(redis, 'c', WINDOW)
    t.equal(current, 2)
    between(t, left, { least: 19_000, most: 20_000 })
    await redis.send('PEXPIRE', 'latchkey:requests:c', '0')
    t.strictSame(await countInRedis(redis, 'c', WINDOW), { current: 1, left: WINDOW })
    between(t, await redis.send('PTTL', 'latchkey:requests:c'), { least: WINDOW - 1000, most: WINDOW })
  })

  await t.test('a count that lost its end gets one', async (t) => {
    await redis.send('SET', 'latchkey:requests:d', '7')
    t.strictSame(await countInRedis(redis, 'd', WINDOW), { current: 8, left: WINDOW })
    between(t, await redis.send('PTTL', 'latchkey:requests:d'), { least: WINDOW - 1000, most: WINDOW })
  })
})
