import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { inspect } from 'node:util'
import t from 'tap'
import { startFakeRedis } from '../../testing/src/fake-redis.ts'
import { REDIS_PASSWORD, SKIPS_REDIS, startRedis } from '../../testing/src/redis-server.ts'
import { WatchedRedis } from './watched-redis.ts'

t.test('a login', { skip: SKIPS_REDIS }, async (t) => {
  const server = await startRedis(t)
  const operator = await WatchedRedis.open(t, server.url)
  const as = (login: string, path = '') => WatchedRedis.open(t, server.url.replace(/\/\/.*@/, `//${login}`) + path)
  const odd = 'p@ss:w/rd%?#'
  await operator.connection.send('ACL', 'SETUSER', 'ada', 'on', `>${odd}`, '~*', '&*', '+@all')
  await operator.connection.send('ACL', 'SETUSER', 'little', 'on', '>little', '~a', '&news', '+set', '+subscribe')

  await t.test('names the connection for the operator', async (t) => {
    const list = String(await operator.connection.send('CLIENT', 'LIST'))
    t.match(list, / name=latchkey-test /)
  })

  await t.test('takes user, password and database from the URL, percent-encoded or not', async (t) => {
    const { connection } = await as(`ada:${encodeURIComponent(odd)}@`, '/3')
    t.equal(await connection.send('ACL', 'WHOAMI'), 'ada')
    t.match(await connection.send('CLIENT', 'INFO'), / name=latchkey-test .* db=3 /)
  })

  await t.test('is enough with no more rights than are used', async (t) => {
    const { connection } = await as('little:little@')
    t.equal(await connection.send('SET', 'a', 'b'), 'OK')
    await t.rejects(connection.send('GET', 'a'), /NOPERM/)
    await connection.subscribe('secrets')
    t.equal(connection.isReady, true, 'a channel that is refused ends nothing')
  })

  await t.test('that is refused is tried again and says why, without the password', async (t) => {
    for (const [login, path, reason] of [
      ['', '', /NOAUTH/],
      ['ada:wrong-secret@', '', /WRONGPASS/],
      [`:${REDIS_PASSWORD}@`, '/99', /DB index is out of range/]
    ] as const) {
      const redis = await as(login, path)
      t.equal(redis.connection.isReady, false)
      await redis.until(() => redis.missed.length === 2)
      for (const error of redis.missed) {
        t.match(error, { message: reason })
        t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /wrong-secret|a-secret/)
      }
    }
  })

  await t.test('works as soon as it is allowed', async (t) => {
    const redis = await as('grace:later@')
    t.match(redis.missed, [/WRONGPASS/])
    await operator.connection.send('ACL', 'SETUSER', 'grace', 'on', '>later', '+ping')
    await redis.until(() => redis.connection.isReady)
  })
})

t.test('a password that the server does not ask for is told once', { skip: SKIPS_REDIS }, async (t) => {
  const server = await startRedis(t, [])
  const redis = await WatchedRedis.open(t, server.url)
  t.equal(await redis.connection.send('PING'), 'PONG')
  await server.stop()
  await redis.until(() => redis.missed.length > 0)
  await server.start()
  await redis.until(() => redis.readies === 2)
  t.match(redis.warned, [/^Redis asks for no password, though REDIS_URL has one/])
  t.equal(redis.warned.length, 1)
})

t.test('an old server hears only commands that it knows', async (t) => {
  const server = await startFakeRedis(t, () => '+OK')
  await WatchedRedis.open(t, `redis://:secret@127.0.0.1:${server.port}/2`)
  t.strictSame(server.commands, ['AUTH secret', 'SELECT 2', 'CLIENT SETNAME latchkey-test', 'PING'])
})

t.test('a server that repeats the user and the password gets neither into an error', async (t) => {
  const long = 'x'.repeat(300)
  for (const refusal of [
    "-ERR unknown command 'AUTH', with args beginning with: 'grace' 'secret' ",
    '-ERR unknown command `AUTH`, with args beginning with: `grace`, `secre',
    `-ERR unknown command 'AUTH', with args beginning with: 'grace' '${long.slice(0, 100)}`,
    '-secret is wrong for grace'
  ]) {
    const server = await startFakeRedis(t, (name) => (name === 'AUTH' ? refusal : '+OK'))
    const { missed } = await WatchedRedis.open(t, server.url.replace('//', `//grace:secret${long}@`))
    t.match(missed, [{ message: /^Redis refuses the user and the password of REDIS_URL: (ERR|without a code)$/ }])
    t.notMatch(inspect(missed), /grace|secre|xxx/, refusal)
  }
})

t.test('a server with TLS hears the name of its host, and no address', async (t) => {
  const names: string[] = []
  const refuse = (name: string, done: (error: Error) => void) => {
    names.push(name)
    done(new Error('no certificate'))
  }
  const server = createTlsServer({ SNICallback: refuse }).listen(0)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const host of ['127.0.0.1', '[::1]', 'localhost']) await WatchedRedis.open(t, `rediss://${host}:${port}`)
  t.strictSame(names, ['localhost'])
})

t.test('a server that is still loading is away until it has loaded', async (t) => {
  let isLoading = true
  const loading = '-LOADING Redis is loading the dataset in memory'
  const server = await startFakeRedis(t, (name) => (isLoading && name === 'PING' ? loading : '+OK'))
  const redis = await WatchedRedis.open(t, server.url)
  t.match(redis.missed, [/LOADING/])
  isLoading = false
  await redis.until(() => redis.connection.isReady)
  t.equal(redis.missed.length, 1)
})

t.test('a URL that cannot be read is not repeated', async (t) => {
  const redis = new WatchedRedis(t, 'redis://:secret@redis:port')
  const error = await redis.connection.open().catch((reason: Error) => reason)
  t.match(error, { message: 'the URL of Redis cannot be read' })
  t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /secret/)
})
