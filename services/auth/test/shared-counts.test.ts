import { setTimeout as sleep } from 'node:timers/promises'
import { RedisConnection } from '@latchkey/frame/redis-connection'
import { between } from '@latchkey/testing/between'
import { startFakeRedis } from '@latchkey/testing/fake-redis'
import { SKIPS_REDIS, startRedis } from '@latchkey/testing/redis-server'
import t, { type Test } from 'tap'
import { countInRedis, SharedCounts } from '../src/limits/shared-counts.ts'

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

const COUNTED = '*2\r\n:1\r\n:60000'
const READONLY = "-READONLY You can't write against a read only replica."

/** Counts that say where they were made: 7 in this process. `told` has the lines of the log. */
async function openCounts(t: Test, redisUrl: string) {
  const told: string[] = []
  const write = (details: unknown, text = '') => void told.push(text || String(details))
  const log = { info: write, warn: write } as never
  const counts = new SharedCounts({ redisUrl, log, window: WINDOW, own: () => ({ current: 7, left: 1 }) })
  t.teardown(() => counts.close())
  await counts.open()
  return { counts, told }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10)
}

const AWAY = 'Redis is away: each instance counts requests for itself'
const BACK = 'Redis is back'

t.test('after a late answer Redis is found again, though nobody asks', async (t) => {
  let isSlow = false
  const late = () => sleep(700).then(() => COUNTED)
  const { url } = await startFakeRedis(t, (name) => (name === 'EVAL' ? (isSlow ? late() : COUNTED) : '+OK'))
  const { counts, told } = await openCounts(t, url)
  isSlow = true
  t.equal((await counts.count('a')).current, 7)
  t.equal(counts.isAway, true)
  isSlow = false
  await until(() => !counts.isAway)
  t.strictSame(told, [AWAY, BACK])
  t.equal((await counts.count('a')).current, 1)
})

t.test('a Redis that takes no writes is away, also when it is connected again, until it takes them', async (t) => {
  let answer = READONLY
  const redis = await startFakeRedis(t, (name) => (name === 'EVAL' ? answer : '+OK'))
  const trials = () => redis.commands.filter((command) => command.startsWith('EVAL')).length
  const { counts, told } = await openCounts(t, redis.url)
  await until(() => counts.isAway)
  await until(() => trials() > 1)
  for (const socket of redis.sockets) socket.destroy()
  await until(() => redis.connections() > 1 && redis.sockets.size > 0)
  const before = trials()
  await until(() => trials() > before)
  t.equal((await counts.count('a')).current, 7)
  t.strictSame([counts.isAway, told], [true, [AWAY]])
  answer = COUNTED
  await until(() => !counts.isAway)
  t.strictSame(told, [AWAY, BACK])
})

t.test('an answer in time does not bring it back while others are late', async (t) => {
  let release: (answer: string) => void = () => {}
  const held = new Promise<string>((resolve) => {
    release = resolve
  })
  let isHeld = false
  const { url } = await startFakeRedis(t, (name) => (name === 'EVAL' ? (isHeld ? held : COUNTED) : '+OK'))
  const { counts, told } = await openCounts(t, url)
  // Behind the trial that was made when it was connected.
  await counts.count('a')
  isHeld = true
  const late = counts.count('a')
  await sleep(300)
  const inTime = counts.count('b')
  t.equal((await late).current, 7)
  release(COUNTED)
  t.equal((await inTime).current, 1)
  t.strictSame([counts.isAway, told], [true, [AWAY]])
})

t.test('what is under way at the end is not told', async (t) => {
  const redis = await startFakeRedis(t, (name) => (name === 'EVAL' ? undefined : '+OK'))
  const { counts, told } = await openCounts(t, redis.url)
  const asked = counts.count('a')
  counts.close()
  t.equal((await asked).current, 7)
  await redis.untilClosed()
  t.strictSame(told, [])
})
