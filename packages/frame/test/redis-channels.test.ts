import t from 'tap'
import { startFakeRedis } from '../../testing/src/fake-redis.ts'
import { SKIPS_REDIS, startRedis } from '../../testing/src/redis-server.ts'
import { WatchedRedis } from './watched-redis.ts'

t.test('channels', { skip: SKIPS_REDIS }, async (t) => {
  const server = await startRedis(t)
  const hearer = await WatchedRedis.open(t, server.url)
  const teller = await WatchedRedis.open(t, server.url)
  const { connection } = hearer

  /** What is heard of a message by each channel, in their order. */
  async function heard(...channels: string[]): Promise<string[]> {
    hearer.messages.length = 0
    await connection.subscribe('end')
    for (const channel of [...channels, 'end']) await teller.connection.send('PUBLISH', channel, 'x')
    await hearer.until(() => hearer.messages.includes('end x'))
    return hearer.messages.slice(0, -1)
  }

  await t.test('one is heard from when it was asked for until it was left', async (t) => {
    await connection.subscribe('a')
    t.strictSame(await heard('a', 'b'), ['a x'])
    connection.unsubscribe('a')
    t.strictSame(await heard('a', 'b'), [])
  })

  await t.test('one that is left and asked for again at once is heard', async (t) => {
    await connection.subscribe('a')
    connection.unsubscribe('a')
    await connection.subscribe('a')
    t.strictSame(await heard('a'), ['a x'])
    const again = connection.subscribe('b')
    connection.unsubscribe('b')
    await Promise.all([again, connection.subscribe('b')])
    t.strictSame(await heard('b'), ['b x'], 'also before the first answer')
  })

  await t.test('after a loss those are heard that were asked for last, with the first message', async (t) => {
    await server.stop()
    connection.unsubscribe('a')
    await connection.subscribe('c')
    await server.start()
    await Promise.all([hearer, teller].map((one) => one.until(() => one.readies === 2)))
    t.strictSame(await heard('a', 'b', 'c'), ['b x', 'c x'])
  })

  await t.test('the last one may be left, and the connection is looked at as before', async (t) => {
    for (const channel of ['b', 'c', 'end']) connection.unsubscribe(channel)
    await t.resolves(connection.send('PING'))
    await teller.connection.send('PUBLISH', 'b', 'y')
    t.notMatch(hearer.messages.join(), 'b y')
    t.strictSame(hearer.missed.length, 1)
  })
})

const bulk = (...words: string[]) => words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')
const LEFT = `*3\r\n${bulk('unsubscribe', 'a')}:0`
const ANSWERS: Record<string, string> = {
  subscribe: `*3\r\n${bulk('subscribe', 'a')}:1`,
  unsubscribe: `*3\r\n${bulk('message', 'a', 'late')}${LEFT}`
}

t.test('a message that comes after its channel was left is not told', async (t) => {
  const server = await startFakeRedis(t, (name) => ANSWERS[name] ?? '+OK')
  const { connection, messages } = await WatchedRedis.open(t, server.url)
  await connection.subscribe('a')
  connection.unsubscribe('a')
  await connection.send('PING')
  t.match(server.commands.slice(-3), ['subscribe a', 'unsubscribe a', 'PING'])
  t.strictSame(messages, [])
})

t.test('one that is asked for again before its end was answered is subscribed to again', async (t) => {
  let leave: (answer: string) => void = () => {}
  const left = new Promise<string>((resolve) => {
    leave = resolve
  })
  const server = await startFakeRedis(t, (name) => (name === 'unsubscribe' ? left : (ANSWERS[name] ?? '+OK')))
  const { connection } = await WatchedRedis.open(t, server.url)
  const first = connection.subscribe('a')
  connection.unsubscribe('a')
  await first
  await connection.subscribe('a')
  leave(LEFT)
  for (let looks = 0; looks < 2; looks += 1) await connection.send('PING')
  t.equal(server.commands.filter((command) => command === 'subscribe a').length, 2)
})
