import { createServer } from 'node:net'
import t from 'tap'
import { between } from '../../testing/src/between.ts'
import { startFakeRedis } from '../../testing/src/fake-redis.ts'
import { SKIPS_REDIS, startRedis } from '../../testing/src/redis-server.ts'
import { WatchedRedis } from './watched-redis.ts'

const LATE = { message: 'Redis did not answer in time' }

t.test('a server that accepts and says nothing is away, and tried again', async (t) => {
  let isSilent = true
  const server = await startFakeRedis(t, () => (isSilent ? undefined : '+OK'))
  const redis = await WatchedRedis.open(t, server.url)
  t.match(redis.missed, [LATE])
  t.equal(redis.connection.isReady, false)
  await redis.until(() => redis.missed.length === 2)
  isSilent = false
  await redis.until(() => redis.connection.isReady)
  t.equal(server.sockets.size, 1, 'the connections of failed attempts are closed')
})

t.test('so is one with TLS', async (t) => {
  const server = await startFakeRedis(t, () => undefined)
  const redis = await WatchedRedis.open(t, server.url.replace('redis', 'rediss'))
  t.match(redis.missed, [{ message: 'Connection timeout' }])
})

t.test('with a Redis that stops answering', { skip: SKIPS_REDIS, timeout: 30_000 }, async (t) => {
  const server = await startRedis(t)
  const redis = await WatchedRedis.open(t, server.url)
  await redis.connection.subscribe('news')
  const other = await WatchedRedis.open(t, server.url)

  await t.test('commands fail soon, and no more wait than memory is for', async (t) => {
    server.signal('SIGSTOP')
    t.teardown(() => server.signal('SIGCONT'))
    const asked = Array.from({ length: 12_000 }, () => other.connection.send('PUBLISH', 'news', 'lost'))
    const reasons = (await Promise.allSettled(asked)).map((one) =>
      one.status === 'rejected' ? one.reason.message : ''
    )
    t.equal(reasons.filter((reason) => reason === LATE.message).length, 10_000)
    t.equal(reasons.filter((reason) => reason === 'Redis is too slow').length, 2000)
    t.strictSame(other.missed, [], 'a slow answer ends no connection')

    await Promise.all([redis, other].map((one) => one.until(() => one.missed.length > 0)))
    t.match([redis.missed[0], other.missed[0]], [LATE, LATE], 'but none at all does, where nothing is asked, too')
    await t.rejects(other.connection.send('PING'), { message: 'Redis is away' })
  })

  await t.test('and answers again', async (t) => {
    await Promise.all([redis, other].map((one) => one.until(() => one.readies === 2)))
    redis.messages.length = 0
    await other.connection.send('PUBLISH', 'news', 'found')
    await redis.until(() => redis.messages.length > 0)
    t.strictSame(redis.messages, ['news found'])
  })
})

t.test('an answer that came while this process was busy counts', { skip: SKIPS_REDIS }, async (t) => {
  const { url } = await startRedis(t)
  const { connection } = await WatchedRedis.open(t, url)
  const asked = connection.send('PING')
  // Sent, and not yet read.
  await new Promise(setImmediate)
  const end = Date.now() + 700
  while (Date.now() < end);
  t.equal(await asked, 'PONG')
})

t.test('it closes at once', async (t) => {
  await t.test('while it connects', async (t) => {
    const server = createServer()
    let sockets = 0
    const closed = new Promise((resolve) =>
      server.on('connection', (socket) => {
        sockets += 1
        socket.on('error', () => {}).on('close', resolve)
        redis.connection.close()
      })
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const { port } = server.address() as { port: number }
    const redis = new WatchedRedis(t, `rediss://127.0.0.1:${port}`)
    const begun = Date.now()
    await Promise.all([redis.connection.open(), closed])
    between(t, Date.now() - begun, { most: 400 }, 'before the attempt is late')
    t.strictSame([redis.missed, sockets], [[], 1])
  })

  await t.test('before it was opened', async (t) => {
    const server = await startFakeRedis(t, () => '+OK')
    const redis = new WatchedRedis(t, server.url)
    redis.connection.close()
    await redis.connection.open()
    t.strictSame([redis.connection.isReady, server.connections()], [false, 0])
  })

  await t.test('while it waits for the next attempt', async (t) => {
    const server = await startFakeRedis(t, () => '-LOADING Redis is loading the dataset in memory')
    const redis = await WatchedRedis.open(t, server.url)
    redis.connection.close()
    await server.untilClosed()
    await new Promise((resolve) => setTimeout(resolve, 200))
    t.equal(server.connections(), 1, 'there is none')
    t.equal(redis.missed.length, 1)
  })

  await t.test('while it is connected', async (t) => {
    const server = await startFakeRedis(t, (name) => (name === 'GET' ? undefined : '+OK'))
    const redis = await WatchedRedis.open(t, server.url)
    const asked = redis.connection.send('GET', 'a')
    redis.connection.close()
    redis.connection.close()
    await t.rejects(asked, 'what waits fails')
    await server.untilClosed()
    t.strictSame([redis.connection.isReady, redis.missed], [false, []])
    await t.rejects(redis.connection.send('GET', 'a'), { message: 'Redis is away' })
  })
})
