import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'
import { REDIS_PASSWORD, SKIPS_REDIS, startRedis } from '../../testing/src/redis-server.ts'
import { openRedis, type RedisConnections } from '../src/redis.ts'

const without = 'each looks for itself'

function logOf() {
  const lines: string[] = []
  const write = (details: unknown, text = '') => void lines.push(`${JSON.stringify(details)} ${text}`)
  return { lines, log: { info: write, warn: write } as never }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10)
}

t.test('two connections that come back by themselves', { skip: SKIPS_REDIS }, async (t) => {
  const server = await startRedis(t)
  const { lines, log } = logOf()
  const redis = await openRedis({ url: server.url, name: 'latchkey-test', without, log })
  t.teardown(() => redis.close())
  let back = 0
  redis.onBack(() => {
    back += 1
  })
  await redis.subscribe('news')
  await hears(redis, 'first')
  t.same([redis.isReady(), lines], [true, []])

  await server.stop()
  await until(() => !redis.isReady() && lines.length > 0)
  await t.rejects(redis.publish('news', 'lost'), 'a command fails at once')
  await sleep(300)
  t.equal(lines.length, 1, 'told once')
  t.match(lines[0], `Redis is away: ${without}`)
  t.notMatch(lines.join(), REDIS_PASSWORD)
  t.equal(back, 0)

  await server.start()
  await until(() => back > 0)
  t.same([redis.isReady(), back, lines.length], [true, 1, 2])
  t.match(lines[1], /Redis is back/)
  await hears(redis, 'it is subscribed again')

  redis.close()
  await sleep(50)
  t.equal(lines.length, 2, 'an end that was asked for is not told')
})

t.test('a Redis that is not there holds up no start', async (t) => {
  const { lines, log } = logOf()
  const url = `redis://127.0.0.1:${await freePort()}`
  const redis = await openRedis({ url, name: 'latchkey-test', without, log })
  t.teardown(() => redis.close())
  t.equal(redis.isReady(), false)
  t.match(lines, [/Redis is away/])
})

async function hears(redis: RedisConnections, text: string): Promise<void> {
  const heard = new Promise((resolve) => redis.onMessage((...message) => resolve(message)))
  await redis.publish('news', text)
  t.same(await heard, ['news', text])
}
