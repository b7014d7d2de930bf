import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { openDatabase } from '@latchkey/database/pool'
import { createDatabase } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { announceLife } from '../src/revocations/life.ts'
import { type FeedSource, openSource } from '../src/revocations/source.ts'
import { sweepRevocations } from '../src/revocations/sweep.ts'

/** A database of its own, and the source of its feed. */
async function openFeed(t: Test, size = 10) {
  const url = await createDatabase(t)
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: size, ANSWER_TIMEOUT: 30 }, () => {})
  t.teardown(() => database.close())
  const end = (key: string) => database.query("INSERT INTO revocations (kind, key) VALUES ('session', $1)", [key])
  const endMany = (count: number) =>
    database.query("INSERT INTO revocations (kind, key) SELECT 'session', n FROM generate_series(1, $1) AS n", [count])
  return { url, database, source: openSource(database), end, endMany }
}

/** A receiver, which follows the feed from place to place. */
class Receiver {
  readonly keys: string[] = []
  readonly #source: FeedSource
  #place: string | null = null

  constructor(source: FeedSource) {
    this.#source = source
  }

  /** Reads until there is no more; returns how often it was told from the beginning. */
  async read(): Promise<number> {
    let beginnings = 0
    for (let more = true; more; ) {
      const page = await this.#source.page(this.#place)
      if (page.after === null) beginnings += 1
      for (const [, key] of page.entries) this.keys.push(String(key))
      this.#place = page.to
      more = page.more
    }
    return beginnings
  }
}

t.test(
  'writers that commit in any order, and instances that number at once: nothing is lost, doubled or left out',
  async (t) => {
    const { database, source } = await openFeed(t, 20)
    const committed: string[] = []
    let isOver = false

    // Each knows when it was committed: a pass that begins afterwards must number it.
    const write = async (n: number) => {
      for (let i = 0; i < 40; i += 1) {
        const key = `${n}.${i}`
        const isRolledBack = (n + i) % 5 === 0
        await database
          .transaction(async (connection) => {
            await connection.query("INSERT INTO revocations (kind, key) VALUES ('session', $1)", [key])
            await connection.query('SELECT pg_sleep($1)', [((n * i) % 7) / 500])
            if (isRolledBack) throw new Error('rolled back')
          })
          .catch(() => {})
        if (!isRolledBack) committed.push(key)
      }
    }
    const unseen: string[] = []
    const follow = async () => {
      const receiver = new Receiver(source)
      while (!isOver) {
        const before = [...committed]
        const { isFull } = await source.pass()
        await receiver.read()
        if (isFull) continue
        const seen = new Set(receiver.keys)
        unseen.push(...before.filter((key) => !seen.has(key)))
        await turn()
      }
      await source.pass()
      await receiver.read()
      return receiver.keys
    }
    const instances = [follow(), follow(), follow()]
    await Promise.all(Array.from({ length: 12 }, (_, n) => write(n)))
    isOver = true
    for (const keys of await Promise.all(instances)) t.strictSame(keys.toSorted(), committed.toSorted())
    t.strictSame(unseen, [], 'a pass that began after a commit has numbered it')
    const [numbers] = await database.query<object>('SELECT count(*), min(seq), max(seq) FROM revocations')
    t.strictSame(numbers, { count: committed.length + 1, min: 1, max: committed.length + 1 }, 'no gap, no double')
  }
)

t.test('a pass numbers 5,000 rows at most, and then claims nothing', async (t) => {
  const { source, endMany } = await openFeed(t)
  await endMany(7000)
  t.match(await source.pass(), { numbered: 5000, isFull: true, seq: 5001, hasKey: false })
  t.match(await source.pass(), { numbered: 2000, isFull: false, seq: 7001 })
  t.match(await source.pass(), { numbered: 0, isFull: false, seq: 7001 })
})

t.test('a look tells of rows without a number, and of those that others have numbered', async (t) => {
  const { source, end } = await openFeed(t)
  t.equal(await source.look(1), false)
  await end('a')
  t.equal(await source.look(1), true)
  const { seq } = await source.pass()
  t.equal(await source.look(1), true)
  t.equal(await source.look(seq), false)
})

t.test('pages have 10,000 entries, and the next begins where one ends', async (t) => {
  const { source, endMany } = await openFeed(t)
  await endMany(20_500)
  while ((await source.pass()).isFull);
  const first = await source.page(null)
  t.match(first, { after: null, more: true })
  const receiver = new Receiver(source)
  t.equal(await receiver.read(), 1, 'one beginning')
  t.equal(new Set(receiver.keys).size, 20_500)
  t.equal(receiver.keys.length, 20_500)
})

t.test('a place that the database lacks is told from the beginning', async (t) => {
  const { source, end } = await openFeed(t)
  await end('a')
  await source.pass()
  const { to } = await source.page(null)
  const [seq, mark = ''] = to.split('.')
  const lost = ['9999999999999999.0123456789abcdef', `${seq}.${randomUUID().slice(-12)}0000`, `1.${mark}`]
  for (const place of lost)
    t.match(await source.page(place), { after: null, to, entries: [['session', 'a', null]] }, place)
  t.strictSame(await source.page(to), { after: to, to, more: false, entries: [] })
})

t.test('of a place that the database lacks it says whether another row has its number', async (t) => {
  const { source, end } = await openFeed(t)
  await end('a')
  await source.pass()
  const { to } = await source.page(null)
  const other = `${to.split('.')[0]}.${'0'.repeat(16)}`
  t.strictSame(await source.known([to]), new Set([to]))
  t.strictSame(await source.known([other]), new Set([to]))
  t.strictSame(await source.known([`9${other}`]), new Set())
})

t.test(
  'an entry is told until the longest access token has expired, and then removed; keys and the last row stay',
  async (t) => {
    const { database, source, end } = await openFeed(t)
    await announceLife(database, 1000)
    await database.query("INSERT INTO revocations (kind, key) VALUES ('key', 'a-key')")
    await source.pass()
    await end('old')
    await source.pass()
    await end('last')
    await source.pass()
    const seconds = async () => (await source.page(null)).entries.map(([, key, , left]) => [key, left])
    t.match(await seconds(), [
      ['a-key', null],
      ['old', Number],
      ['last', Number]
    ])
    const [, [, left]] = (await seconds()) as [unknown, [string, number]]
    t.ok(left > 1000 + 300 && left <= 1000 + 660, `${left} s: the life, the longest leeway and a minute`)

    await database.query("UPDATE revocations SET sealed_at = now() - interval '1661 s'")
    t.strictSame(await seconds(), [['a-key', null]], 'what refuses nothing is not told')
    const { to } = await source.page(null)
    t.equal(await sweepRevocations(database), 2, 'the first row and one session')
    t.equal(await sweepRevocations(database), 0)
    t.strictSame(await source.page(to), { after: to, to, more: false, entries: [] }, 'the place is still there')
  }
)

t.test(
  'the longest life of all instances counts, a shorter one when the tokens of the longer have expired',
  async (t) => {
    const { database } = await openFeed(t)
    const life = async () =>
      (await database.query<{ access_life: number }>('SELECT access_life FROM feed_head'))[0]?.access_life
    await announceLife(database, 3600)
    t.equal(await life(), 3600)
    await announceLife(database, 60)
    t.equal(await life(), 3600, 'another instance may still sign for an hour')
    await database.query("UPDATE feed_head SET access_life_until = now() - interval '1 s'")
    await announceLife(database, 60)
    t.equal(await life(), 60)
    await announceLife(database, 61)
    t.equal(await life(), 61)
  }
)

t.test('the sweep numbers what waits, for nobody else may', async (t) => {
  const { database, source, endMany } = await openFeed(t)
  await endMany(6000)
  await sweepRevocations(database)
  t.match(await source.pass(), { numbered: 0, seq: 6001 })
})

t.test('while somebody holds the head, a pass fails in time and claims nothing', async (t) => {
  const { database, source, end } = await openFeed(t)
  await end('a')
  await database.transaction(async (connection) => {
    await connection.query('SELECT 1 FROM feed_head FOR UPDATE')
    await t.rejects(source.pass(), { code: 'unavailable' })
  })
  t.match(await source.pass(), { numbered: 1 })
})

t.test('a database that may only be read claims nothing', async (t) => {
  const { url } = await openFeed(t)
  const replica = openDatabase(
    {
      DATABASE_URL: `${url}${url.includes('?') ? '&' : '?'}options=-c%20default_transaction_read_only%3Don`,
      DATABASE_POOL_SIZE: 1,
      ANSWER_TIMEOUT: 30
    },
    () => {}
  )
  t.teardown(() => replica.close())
  await t.rejects(openSource(replica).pass(), { code: 'unavailable' })
})
