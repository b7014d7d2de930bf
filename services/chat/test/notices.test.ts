import { once } from 'node:events'
import { openRedis } from '@latchkey/frame/redis'
import { SKIPS_REDIS, startRedis } from '@latchkey/testing/redis-server'
import t, { type Test } from 'tap'
import { type Notices, redisNotices } from '../src/live/notices.ts'

/** One instance, and what it hears. */
class Instance extends EventTarget {
  readonly heard: string[] = []
  notices: Notices | undefined

  static async open(t: Test, url: string): Promise<Instance & { notices: Notices }> {
    const instance = new Instance()
    const redis = await openRedis({ url, name: 'test', without: 'later', log: { info: () => {}, warn: () => {} } })
    t.teardown(() => redis.close())
    const tell = (text: string) => {
      instance.heard.push(text)
      instance.dispatchEvent(new Event('heard'))
    }
    instance.notices = redisNotices(redis, { hint: (room, seq) => tell(`${room} ${seq}`), back: () => tell('back') })
    return instance as Instance & { notices: Notices }
  }

  async until(text: string): Promise<void> {
    while (!this.heard.includes(text)) await once(this, 'heard')
  }
}

t.test('with Redis', { skip: SKIPS_REDIS }, async (t) => {
  const redis = await startRedis(t)
  const [one, two] = [await Instance.open(t, redis.url), await Instance.open(t, redis.url)]

  await t.test('an instance hears of rooms that it asked for, and of itself nothing', async (t) => {
    await one.notices.subscribe('a')
    await two.notices.subscribe('a')
    await two.notices.subscribe('b')
    one.notices.publish('b', 1)
    one.notices.publish('a', 7)
    await two.until('a 7')
    t.strictSame(two.heard, ['b 1', 'a 7'])
    two.notices.publish('b', 2)
    two.notices.publish('a', 8)
    await one.until('a 8')
    t.strictSame(one.heard, ['a 8'])
    one.notices.unsubscribe('a')
  })

  await t.test('after Redis was away it hears again, also of rooms that it asked for meanwhile', async (t) => {
    await redis.stop()
    await two.notices.subscribe('c')
    one.notices.publish('a', 9)
    await redis.start()
    await Promise.all([one.until('back'), two.until('back')])
    one.notices.publish('c', 3)
    await two.until('c 3')
    t.notOk(two.heard.includes('a 9'), 'what was told while it was away is lost')
  })
})
