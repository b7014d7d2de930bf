// Revoked keys: who is believed about a key, and what becomes of what a thief told.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import { everybody, placeOf, revokedKey, session } from './fake-feed.ts'
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
