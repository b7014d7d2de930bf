import { RedisConnection } from '@latchkey/frame/redis-connection'
import { between } from '@latchkey/testing/between'
import { startFakeRedis } from '@latchkey/testing/fake-redis'
import { SKIPS_REDIS, startRedis } from '@latchkey/testing/redis-server'
import t, { type Test } from 'tap'
import { countInRedis } from '../src/limits/shared-counts.ts'

const WINDOW = 60_000

async function connect(t: Test, url: string): Promise<RedisConnection> {
  const log = { warn: () => {} }
  const redis = new RedisConnection({ url, name: 'latchkey-test', log, missed: (error) => t.fail(String(error)) })
  t.teardown(() => redis.close())
  await redis.open()
  return redis
}

t.test('counts in Redis', { skip: SKIPS_REDIS }, async (t) => {
  const { url } = await startRedis(t)
  const redis = await connect(t, url)
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

  await t.test('a count whose end is too far off, because a clock was set back, ends a window later', async (t) => {
    await count('e')
    await redis.send('PEXPIRE', 'latchkey:requests:e', '3600000')
    t.strictSame(await countInRedis(redis, 'e', WINDOW), { current: 2, left: WINDOW }, 'and goes on')
    between(t, await redis.send('PTTL', 'latchkey:requests:e'), { least: WINDOW - 1000, most: WINDOW })
  })
})

t.test('an answer that is no count is an error', async (t) => {
  let answer = '+OK'
  const { url } = await startFakeRedis(t, (name) => (name === 'EVAL' ? answer : '+OK'))
  const redis = await connect(t, url)
  for (answer of ['+OK', ':1', '$-1', '*-1', '*0', '*1\r\n:1', '*2\r\n:1\r\n$1\r\n1', '*2\r\n$-1\r\n:60000']) {
    await t.rejects(countInRedis(redis, 'a', WINDOW), { message: 'Redis answered no count' }, answer)
  }
  answer = '*2\r\n:1\r\n:60000'
  t.strictSame(await countInRedis(redis, 'a', WINDOW), { current: 1, left: WINDOW })
})
