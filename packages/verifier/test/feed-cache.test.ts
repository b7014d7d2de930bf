// The cache file of a feed: a restart forgets nothing, and a file is never believed more than it deserves.
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import { Cache } from '../src/feed/cache.ts'
import type { HashTable } from '../src/feed/hash-table.ts'
import { Knowledge } from '../src/feed/knowledge.ts'
import type { FeedSettings } from '../src/feed/settings.ts'
import { SteadyClock } from '../src/feed/steady-clock.ts'
import { everybody, FakeFeedClock, FEED_URL, ISSUER, placeOf, revokedKey, session, subject } from './fake-feed.ts'
import { FakeKeys, type FeedScene, openScene } from './feed-scene.ts'

const [key, other] = await Promise.all([makeKey(), makeKey()])
const away = { prepare: (feed: FeedScene['feed']) => (feed.travel = () => new Response(null, { status: 503 })) }

/** A cache file that a feed has written, and what it tells. */
async function keptFeed(t: Test) {
  const cacheFile = join(t.testdir(), 'deep', 'revocations')
  const [sid, sub] = [randomUUID(), randomUUID()]
  const it = await openScene(t, key, { cacheFile }, { keys: new FakeKeys(key, other) })
  it.feed.tells(session(sid), subject(sub, 3), revokedKey(other.kid), everybody(1_000_000_000))
  await it.clock.pass(0.1)
  await it.revocations.close()
  return { cacheFile, sid, sub, it }
}

// Files are written by the system, not by the played clock.
async function written(path: string, since = 0): Promise<void> {
  while (
    (await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0
    )) <= since
  )
    await delay(5)
}

t.test('after a restart without the issuer it refuses what it knew, and is not current', async (t) => {
  const { cacheFile, sid, sub } = await keptFeed(t)
  t.equal((await stat(cacheFile)).mode & 0o777, 0o600)
  const it = await openScene(t, key, { cacheFile, whenCut: 'accept' }, { ...away, keys: new FakeKeys(key, other) })
  t.match(it.revocations.status(), { state: 'starting', entries: 4, place: placeOf(4) })
  const tokens = [
    it.token({ sid }),
    it.token({ sub, epoch: 2 }),
    it.token({ sub, epoch: 3 }),
    it.token({}, other),
    it.token({ iat: 999_999_999 }),
    it.token()
  ]
  const expected = ['invalid_token', 'invalid_token', 'accepted', 'invalid_token', 'invalid_token', 'accepted']
  t.same(await Promise.all(tokens.map(it.verdict)), expected)
  it.feed.travel = undefined
  await it.clock.pass(3)
  const { state, place } = it.revocations.status()
  t.equal(state, 'current')
  t.not(place, placeOf(4), 'this feed has another history, so it begins anew')
})

t.test('it goes on from the kept place, and is current with the first answer', async (t) => {
  const { cacheFile, it: before } = await keptFeed(t)
  const it = await openScene(
    t,
    key,
    { cacheFile },
    {
      keys: new FakeKeys(key, other),
      prepare: (feed) => (feed.rows = before.feed.rows)
    }
  )
  t.match(it.feed.asked[0], { after: placeOf(4), wait: 0 })
  t.match(it.revocations.status(), { state: 'current', entries: 4, received: 0 })
})

t.test('an orderly end keeps also what came right before it', async (t) => {
  const cacheFile = join(t.testdir(), 'revocations')
  const it = await openScene(t, key, { cacheFile })
  it.feed.tells(session(randomUUID()))
  await it.clock.pass(0.1)
  await written(cacheFile)
  it.feed.tells(session(randomUUID()))
  await it.clock.pass(0.1)
  await it.revocations.close()
  const again = await openScene(t, key, { cacheFile }, away)
  t.match(again.revocations.status(), { entries: 2, place: placeOf(2) })
})

t.test('an end waits two seconds for a file that takes long, and no longer', async (t) => {
  let [isOver, isWhole] = [false, false]
  function* segments() {
    while (!isWhole) yield () => {}
  }
  const known = Object.assign(new Knowledge(), { place: placeOf(1), table: { segments } as unknown as HashTable })
  const clock = new FakeFeedClock()
  const settings = { cacheFile: join(t.testdir(), 'revocations'), clock } as unknown as FeedSettings
  const cache = new Cache(settings, ISSUER, new SteadyClock(clock))
  cache.keep(known)
  const closing = cache.close().then(() => (isOver = true))
  await clock.pass(1.9)
  await delay(50)
  t.notOk(isOver)
  await clock.pass(0.2)
  t.ok(await closing)
  isWhole = true
  await cache.close()
  t.ok((await stat(settings.cacheFile ?? '')).size > 0)
})

t.test('with refuse a kept file makes nothing fresh', async (t) => {
  const { cacheFile } = await keptFeed(t)
  const it = await openScene(t, key, { cacheFile }, away)
  t.equal(await it.verdict(it.token()), 'unavailable')
})

t.test('a file of a version that knew fewer kinds still refuses, but all is asked again', async (t) => {
  for (const kinds of [['subject', 'session', 'key'], undefined]) {
    const { cacheFile, sid, it: before } = await keptFeed(t)
    const bytes = await readFile(cacheFile)
    const end = bytes.indexOf('\n')
    const head = JSON.parse(bytes.subarray(0, end).toString())
    const older = Buffer.from(JSON.stringify({ ...head, kinds }))
    await writeFile(cacheFile, Buffer.concat([older, bytes.subarray(end)]))
    const prepare = (feed: FeedScene['feed']) => (feed.rows = before.feed.rows)
    const it = await openScene(t, key, { cacheFile }, { keys: new FakeKeys(key, other), prepare })
    t.match(it.feed.asked[0], { after: null })
    t.match(it.revocations.status(), { state: 'current', entries: 4, place: placeOf(4) })
    t.equal(await it.verdict(it.token({ sid })), 'invalid_token')
    await it.revocations.close()
    const refusing = await openScene(t, key, { cacheFile, whenCut: 'accept' }, away)
    t.match(
      refusing.revocations.status(),
      { entries: 4, place: placeOf(4) },
      'it is written with the kinds of this version'
    )
    await refusing.revocations.close()
  }
})

t.test('a wall clock that is wrong drops no entry', async (t) => {
  const { cacheFile, sid } = await keptFeed(t)
  const it = await openScene(t, key, { cacheFile, whenCut: 'accept' }, away)
  it.clock.wrong = 30 * 86_400_000
  t.equal(await it.verdict(it.token({ sid })), 'invalid_token')
})

/** What may have happened to a file, and the options of the feed that finds it. */
const DAMAGE: Record<string, (path: string) => Promise<object | undefined>> = {
  'cut off in its entries': async (path) => void (await truncate(path, (await stat(path)).size - 10)),
  'cut off in its first line': async (path) => void (await truncate(path, 20)),
  empty: async (path) => void (await writeFile(path, '')),
  'with a changed byte': async (path) => {
    const bytes = await readFile(path)
    bytes.writeUInt8((bytes.at(-9) ?? 0) ^ 1, bytes.length - 9)
    await writeFile(path, bytes)
    return undefined
  },
  'of another program': async (path) => void (await writeFile(path, '{"keys":[]}\n')),
  'with null in it': async (path) => void (await writeFile(path, 'null\n')),
  'of another feed': async () => ({ url: `${FEED_URL}/other` }),
  'that is huge': async (path) => {
    await truncate(path, 2 ** 33)
    return undefined
  },
  'with more entries than maxEntries allows': async (path) => {
    await truncate(path, 5 * 1024 * 1024)
    return { maxEntries: 10 }
  }
}

for (const [name, damage] of Object.entries(DAMAGE)) {
  t.test(`a cache file ${name} is not used, which is logged, and it is written again`, async (t) => {
    const { cacheFile } = await keptFeed(t)
    const options = await damage(cacheFile)
    const { mtimeMs } = await stat(cacheFile)
    const it = await openScene(t, key, { cacheFile, ...options })
    t.equal(it.log.filter((line) => line.startsWith('warn: the kept revocations are not used')).length, 1)
    t.match(it.revocations.status(), { state: 'current', entries: 0 })
    it.feed.tells(session(randomUUID()))
    await it.clock.pass(0.1)
    await written(cacheFile, mtimeMs)
    const again = await openScene(t, key, { cacheFile, ...options, whenCut: 'accept' }, away)
    t.equal(again.revocations.status().entries, 1)
  })
}

t.test('a path that cannot be written, or is a folder, costs a warning and nothing else', async (t) => {
  const folder = t.testdir({ folder: {} })
  const it = await openScene(t, key, { cacheFile: join(folder, 'folder') })
  it.feed.tells(session(randomUUID()))
  await it.clock.pass(0.1)
  while (it.log.filter((line) => line.includes('could not be kept')).length === 0) await delay(5)
  t.match(it.revocations.status(), { state: 'current', entries: 1 })
  t.same(await readdir(folder), ['folder'], 'nothing is left beside it')
  await mkdir(join(folder, 'closed'))
  await chmod(join(folder, 'closed'), 0o500)
})
