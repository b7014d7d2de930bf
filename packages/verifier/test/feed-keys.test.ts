// Revoked keys: who is believed about a key, and what becomes of what a thief told.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import { everybody, type FakeFeed, placeOf, revokedKey, session } from './fake-feed.ts'
import { FakeKeys, openScene } from './feed-scene.ts'

const [stolen, good, next] = await Promise.all([makeKey(), makeKey(), makeKey()])

t.test('tokens of a revoked key are refused, remembered or not, and the key set is fetched', async (t) => {
  const it = await openScene(t, stolen, {}, { keys: new FakeKeys(stolen, good) })
  const [bad, fine] = [it.token(), it.token({}, good)]
  t.same(await Promise.all([bad, fine].map(it.verdict)), ['accepted', 'accepted'])
  it.feed.key = good
  it.feed.tells(revokedKey(stolen.kid))
  await it.clock.pass(0.1)
  t.same(await Promise.all([bad, fine, it.token()].map(it.verdict)), ['invalid_token', 'accepted', 'invalid_token'])
  t.ok(it.keys.refreshed > 0)
  await it.clock.pass(10)
  t.match(it.revocations.status(), { state: 'current', failures: 0 })
})

t.test('a key is believed about itself, and in nothing else any more', async (t) => {
  const it = await openScene(t, stolen, { bound: 5 }, { keys: new FakeKeys(stolen, good) })
  const sid = randomUUID()
  const bad = it.token()
  const ofSession = it.token({ sid }, good)
  it.feed.tells(revokedKey(stolen.kid), session(sid))
  await it.clock.pass(0.1)
  t.equal(await it.verdict(bad), 'invalid_token')
  t.equal(await it.verdict(ofSession), 'accepted', 'what it says of a session is not believed')
  await it.clock.pass(6)
  t.equal(it.revocations.status().state, 'cut', 'nor that its news is complete')
  it.feed.key = good
  await it.clock.pass(2.1)
  t.equal(it.revocations.status().state, 'current')
  t.equal(await it.verdict(ofSession), 'invalid_token')
})

t.test('what a thief told is gone: everything is read again from the beginning', async (t) => {
  const it = await openScene(t, good, {}, { keys: new FakeKeys(stolen, good) })
  const [honest, victim] = [randomUUID(), randomUUID()]
  it.feed.tells(session(honest))
  await it.clock.pass(1)
  // A thief with a stolen key answers for a while, and ends sessions that nobody ended.
  const rows = it.feed.rows
  it.feed.key = stolen
  it.feed.rows = [...rows, { place: placeOf(2, 'e'), entry: session(victim) }]
  it.feed.tells(everybody(4_000_000_000))
  await it.clock.pass(1)
  const [ofHonest, ofVictim] = [it.token({ sid: honest }, good), it.token({ sid: victim }, good)]
  t.same(await Promise.all([ofHonest, ofVictim].map(it.verdict)), ['invalid_token', 'invalid_token'])
  it.feed.key = good
  it.feed.rows = rows
  it.feed.tells(revokedKey(stolen.kid))
  await it.clock.pass(3)
  t.same(await Promise.all([ofHonest, ofVictim].map(it.verdict)), ['invalid_token', 'accepted'])
  t.match(it.revocations.status(), { state: 'current', entries: 2 })
})

t.test(
  'what a thief told is gone when his key is listed no more, though nobody tells again that it was revoked',
  async (t) => {
    const it = await openScene(t, good, {}, { keys: new FakeKeys(stolen, good) })
    const [hidden, victim] = [randomUUID(), randomUUID()]
    const rows = [...it.feed.rows]
    it.feed.key = stolen
    it.feed.tells(everybody(4_000_000_000), session(victim))
    await it.clock.pass(1)
    t.equal(it.revocations.status().place, placeOf(2))
    // The issuer's own rows have these places too: the receiver believes that it knows them.
    it.feed.rows = rows
    it.feed.key = good
    it.feed.tells(session(hidden), revokedKey(stolen.kid))
    it.keys.lists(good)
    await it.clock.pass(6)
    const [ofHidden, ofVictim] = [it.token({ sid: hidden }), it.token({ sid: victim })]
    t.same(await Promise.all([ofHidden, ofVictim].map(it.verdict)), ['invalid_token', 'accepted'])
    t.match(it.revocations.status(), { state: 'current', entries: 2 })
  }
)

t.test('what is read again is kept in no file before it is whole, and a restart reads it again', async (t) => {
  const cacheFile = join(t.testdir(), 'revocations')
  const it = await openScene(t, good, { cacheFile }, { keys: new FakeKeys(stolen, good) })
  const victim = randomUUID()
  it.feed.key = stolen
  it.feed.tells(session(victim))
  await it.clock.pass(6)
  await it.revocations.close()
  const again = (prepare: (feed: FakeFeed) => void) =>
    openScene(t, good, { cacheFile }, { keys: new FakeKeys(stolen, good), prepare })
  const interrupted = await again((feed) => {
    feed.rows = [...it.feed.rows]
    feed.tells(revokedKey(stolen.kid))
    feed.travel = (question) => (question.after === null ? new Response(null, { status: 503 }) : feed.answer(question))
  })
  await interrupted.clock.pass(6)
  t.match(interrupted.feed.asked.at(-1), { after: null })
  await interrupted.revocations.close()
  const [head = ''] = (await readFile(cacheFile, 'latin1')).split('\n')
  t.match(JSON.parse(head), { place: placeOf(1), keys: [] })
  const last = await again(
    (feed) => (feed.rows = [{ place: placeOf(0), entry: undefined }, ...interrupted.feed.rows.slice(2)])
  )
  await last.clock.pass(3)
  t.equal(await last.verdict(last.token({ sid: victim })), 'accepted')
  await last.revocations.close()
})

t.test('keys that a thief invents take no room of those of the issuer', async (t) => {
  const it = await openScene(t, good, {}, { keys: new FakeKeys(stolen, good, next) })
  const invented = Array.from({ length: 10_000 }, (_, n) => revokedKey(`invented-${n}`))
  const rows = it.feed.rows
  it.feed.page = 20_000
  it.feed.key = stolen
  it.feed.rows = [...rows]
  it.feed.tells(...invented)
  await it.clock.pass(1)
  t.equal(it.revocations.status().entries, 10_000)
  it.feed.key = good
  it.feed.rows = rows
  it.feed.tells(revokedKey(stolen.kid))
  await it.clock.pass(3)
  t.match(it.revocations.status(), { state: 'current', failures: 0, entries: 1 })
  // Now he is believed about keys only.
  it.feed.key = stolen
  it.feed.rows = [...rows]
  it.feed.tells(...invented)
  await it.clock.pass(1)
  it.feed.key = good
  it.feed.rows = rows
  it.feed.tells(revokedKey(next.kid))
  await it.clock.pass(6)
  t.match(it.revocations.status(), { state: 'current', failures: 0 })
  t.equal(await it.verdict(it.token({}, next)), 'invalid_token')
  it.keys.lists(good)
  await it.clock.pass(6)
  t.match(it.revocations.status(), { state: 'current', entries: 2 }, 'and what he invented is gone with his key')
})

t.test('until all was read again the old table counts, also if it has many pages', async (t) => {
  const it = await openScene(t, stolen, {}, { keys: new FakeKeys(stolen, good), prepare: (feed) => (feed.page = 5) })
  const sids = Array.from({ length: 40 }, () => randomUUID())
  it.feed.tells(...sids.map((sid) => session(sid)))
  await it.clock.pass(2)
  it.feed.key = good
  it.feed.tells(revokedKey(stolen.kid))
  const tokens = sids.map((sid) => it.token({ sid }, good))
  for (let step = 0; step < 30; step += 1) {
    await it.clock.pass(0.05)
    t.same(new Set(await Promise.all(tokens.map(it.verdict))), new Set(['invalid_token']))
  }
  t.ok(it.feed.asked.filter(({ after }) => after === null).length >= 2)
  t.match(it.revocations.status(), { state: 'current', entries: 41 })
})

t.test('a thief who revokes the good key loses that with the stolen one', async (t) => {
  const it = await openScene(t, good, { bound: 5 }, { keys: new FakeKeys(stolen, good) })
  const token = it.token()
  const rows = it.feed.rows
  it.feed.key = stolen
  it.feed.rows = [...rows]
  it.feed.tells(revokedKey(good.kid))
  await it.clock.pass(0.2)
  t.equal(await it.verdict(token), 'invalid_token')
  it.feed.rows = rows
  it.feed.key = good
  it.feed.tells(revokedKey(stolen.kid))
  await it.clock.pass(8)
  t.equal(it.revocations.status().state, 'cut', 'neither is believed while both are listed')
  t.ok(it.keys.refreshed > 0)
  it.keys.lists(good)
  t.equal(await it.verdict(token), 'unavailable')
  await it.clock.pass(3)
  t.equal(it.revocations.status().state, 'current')
  t.equal(await it.verdict(token), 'accepted')
})

t.test('an old entry of a key that signed nothing here costs no second reading', async (t) => {
  const it = await openScene(
    t,
    good,
    {},
    {
      keys: new FakeKeys(good, next),
      prepare: (feed) => feed.tells(revokedKey(stolen.kid))
    }
  )
  await it.clock.pass(10)
  t.equal(it.feed.asked.filter(({ after }) => after === null).length, 1)
  t.match(it.revocations.status(), { state: 'current', failures: 0, entries: 1 })
})
