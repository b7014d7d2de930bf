import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import { createDatabase } from '@latchkey/testing/database'
import { startFakeRedis } from '@latchkey/testing/fake-redis'
import { isProblem } from '@latchkey/testing/problem'
import { REDIS_PASSWORD, SKIPS_REDIS, startRedis } from '@latchkey/testing/redis-server'
import t from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'
import { type Auth, startAuth } from './app.ts'

t.test('with Redis', { skip: SKIPS_REDIS }, async (t) => {
  const redis = await startRedis(t)
  const env = { DATABASE_URL: await createDatabase(t), REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '4' }
  const [one, two] = [await startAuth(t, { env }), await startAuth(t, { env })]
  const knock = async (at: Auth, from: string) => (await at.send('POST /login', { body: {}, from })).status
  const said = (at: Auth, text: string) => at.lines.filter(({ msg }) => msg.includes(text))

  // Redis is tried again two seconds after it was missed.
  async function untilShared(from: string): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const address = `${from}.${tries}`
      for (let i = 0; i < 4; i += 1) await knock(one, address)
      if ((await knock(two, address)) === 429) return
      if (tries === 250) throw new Error('the instances do not count together')
      await sleep(50)
    }
  }

  await t.test('two instances count together', async (t) => {
    const statuses = []
    for (let i = 0; i < 6; i += 1) statuses.push(await knock(i % 2 ? one : two, '198.51.100.1'))
    t.strictSame(statuses, [400, 400, 400, 400, 429, 429])
    const answer = await two.send('POST /login', { body: {}, from: '198.51.100.1' })
    isProblem(t, answer, 'too_many_requests')
    between(t, Number(answer.headers['retry-after']), { least: 50, most: 60 }, 'Retry-After')
    t.equal(await knock(two, '198.51.100.2'), 400, 'another address is another count')
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => knock(i % 2 ? one : two, '2001:db8::1')))
    t.equal(all.filter((status) => status === 400).length, 4, 'of forty at once as well')
    t.equal(await knock(one, '2001:db8::ffff'), 429, 'a /64 is one address')
    const burst = await Promise.all(Array.from({ length: 6 }, () => knock(one, '198.51.100.3')))
    t.strictSame(burst.sort(), [400, 400, 400, 400, 429, 429], 'of a burst at one instance, too')
  })

  await t.test('while it is away each counts for itself, and no request waits for it or fails', async (t) => {
    await redis.stop()
    const from = '203.0.113.1'
    for (const at of [one, two]) {
      const statuses = []
      for (let i = 0; i < 6; i += 1) statuses.push(await knock(at, from))
      t.strictSame(statuses, [400, 400, 400, 400, 429, 429])
      t.equal(said(at, 'Redis is away').length, 1, 'told once')
      t.notMatch(JSON.stringify(at.lines), REDIS_PASSWORD)
    }
    t.equal((await one.send('GET /readyz')).status, 200, 'and the service is ready as before')
    await redis.start()
    await untilShared('192.0.2')
    t.equal(said(one, 'Redis is back').length, 1)
  })

  await t.test('it is back as soon as it is there, also where nobody asks', async (t) => {
    await redis.stop()
    await knock(one, '203.0.113.2')
    t.equal(one.app.requestsCountedIn(), 'own')
    await redis.start()
    while (one.app.requestsCountedIn() === 'own') await sleep(50)
    t.equal(said(one, 'Redis is back').length, 2)
  })

  await t.test('one that does not answer holds up nobody for long', async (t) => {
    redis.signal('SIGSTOP')
    t.teardown(() => redis.signal('SIGCONT'))
    const statuses = await Promise.all(Array.from({ length: 10 }, () => knock(one, '203.0.114.1')))
    t.strictSame(statuses.sort(), [...Array(4).fill(400), ...Array(6).fill(429)])
  })
})

t.test('a Redis that answers and does not count is away', { skip: SKIPS_REDIS }, async (t) => {
  // As after a failover: it is told to follow another and takes no writes.
  const redis = await startRedis(t, ['--requirepass', REDIS_PASSWORD, '--replicaof', '127.0.0.1', '1'])
  const auth = await startAuth(t, { env: { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '1' } })
  t.equal((await auth.send('POST /login', { body: {} })).status, 400)
  t.equal((await auth.send('POST /login', { body: {} })).status, 429, 'each instance counts for itself')
  const told = auth.lines.filter(({ msg }) => msg.includes('Redis is away'))
  t.match(told, [{ err: { message: /READONLY/ } }])
  t.equal(told.length, 1)
})

t.test('a Redis that was never there holds up no start', async (t) => {
  const url = `redis://127.0.0.1:${await freePort()}`
  const auth = await startAuth(t, { env: { REDIS_URL: url, RATE_LIMIT_PER_MINUTE: '1' } })
  t.equal((await auth.send('POST /login', { body: {} })).status, 400)
  t.equal((await auth.send('POST /login', { body: {} })).status, 429)
})

t.test('so is one that answers something else than a count', async (t) => {
  const redis = await startFakeRedis(t, () => '+OK')
  const auth = await startAuth(t, { env: { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '1' } })
  t.equal((await auth.send('POST /login', { body: {} })).status, 400)
  t.equal((await auth.send('POST /login', { body: {} })).status, 429)
  t.equal(auth.app.requestsCountedIn(), 'own')
})
