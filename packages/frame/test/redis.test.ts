import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'
import { startFakeRedis } from '../../testing/src/fake-redis.ts'
import { REDIS_PASSWORD, SKIPS_REDIS, startRedis } from '../../testing/src/redis-server.ts'
import { openRedis, type RedisConnections } from '../src/redis.ts'
import { WatchedRedis } from './watched-redis.ts'

const without = 'each looks for itself'

/** The answer to a subscription. */
const SUBSCRIBED = '*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1'

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

t.test('a command that Redis refuses is told once until it takes it again', { skip: SKIPS_REDIS }, async (t) => {
  const server = await startRedis(t)
  const operator = await WatchedRedis.open(t, server.url)
  const allow = (...rights: string[]) => operator.connection.send('ACL', 'SETUSER', 'ada', ...rights)
  await allow('on', '>secret', '&latchkey:*', '+subscribe')
  const { lines, log } = logOf()
  const url = server.url.replace(/\/\/.*@/, '//ada:secret@')
  const redis = await openRedis({ url, name: 'latchkey-test', without, log })
  t.teardown(() => redis.close())
  const publish = () => redis.publish('latchkey:a', 'text').catch(() => {})

  for (let i = 0; i < 2; i += 1) await publish()
  t.equal(lines.length, 1)
  t.match(lines[0], /Redis refuses PUBLISH: each looks for itself\. Give the user .*\(\+publish\)/)
  await allow('+publish')
  await publish()
  await allow('-publish')
  await publish()
  t.equal(lines.length, 2, 'after it worked it is told again')

  for (const channel of ['other:a', 'other:b']) await redis.subscribe(channel)
  t.equal(lines.length, 3)
  t.match(lines[2], /Redis refuses SUBSCRIBE: each looks for itself\. Give the user .*\(&latchkey:\*\)/)
  t.equal(redis.isReady(), true)
})

t.test('a channel that is refused when it is connected again is told too', async (t) => {
  let answer = SUBSCRIBED
  const server = await startFakeRedis(t, (name) => (name === 'subscribe' ? answer : '+OK'))
  const { lines, log } = logOf()
  const redis = await openRedis({ url: server.url, name: 'latchkey-test', without, log })
  t.teardown(() => redis.close())
  await redis.subscribe('a')
  answer = '-NOPERM No permissions to access a channel'
  for (const socket of server.sockets) socket.destroy()
  await until(() => lines.some((line) => line.includes('Redis refuses SUBSCRIBE')))
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
