// A thief has a signing key and claims a far future epoch: the user's own tokens stay good.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import { revokedKey } from './fake-feed.ts'
import { FakeKeys, openScene } from './feed-scene.ts'

const [stolen, good] = await Promise.all([makeKey(), makeKey()])
const FAR = Number.MAX_SAFE_INTEGER
const bob = randomUUID()

t.test('a token of a key that the feed revokes raises no epoch', async (t) => {
  const it = await openScene(t, good, {}, { keys: new FakeKeys(stolen, good) })
  const sub = randomUUID()
  const honest = it.token({ sub, epoch: 1 })
  it.feed.tells(revokedKey(stolen.kid))
  await it.clock.pass(0.1)
  t.equal(await it.verdict(it.token({ sub, epoch: FAR }, stolen)), 'invalid_token')
  t.equal(await it.verdict(honest), 'accepted')
  t.equal(await it.verdict(it.token({ sub, epoch: 0 })), 'invalid_token', 'the honest epoch counts')
})

t.test(
  'an epoch that was raised before its key was revoked counts no more, though the set lists the key',
  async (t) => {
    const it = await openScene(t, good, {}, { keys: new FakeKeys(stolen, good) })
    const sub = randomUUID()
    const honest = it.token({ sub, epoch: 1 })
    t.equal(await it.verdict(it.token({ sub, epoch: FAR }, stolen)), 'accepted')
    t.equal(await it.verdict(honest), 'invalid_token')
    it.feed.tells(revokedKey(stolen.kid))
    await it.clock.pass(0.1)
    t.ok(it.keys.held(stolen.kid))
    t.same(await Promise.all([honest, it.token({ sub, epoch: 1 })].map(it.verdict)), ['accepted', 'accepted'])
  }
)

t.test('a token that is refused while the feed is cut raises no epoch', async (t) => {
  for (const [whenCut, refusal] of [
    ['refuse', 'unavailable'],
    ['recent', 'token_expired']
  ] as const) {
    const it = await openScene(t, good, { whenCut, bound: 5 })
    const sub = randomUUID()
    const [honest, later] = [it.token({ sub, epoch: 1 }), it.token({ sub, epoch: 2 })]
    t.equal(await it.verdict(honest), 'accepted')
    it.feed.travel = () => new Promise(() => {})
    await it.clock.pass(12)
    t.equal(await it.verdict(later), refusal)
    it.feed.travel = undefined
    await it.clock.pass(8)
    t.equal(it.revocations.status().state, 'current')
    t.equal(await it.verdict(honest), 'accepted')
  }
})

t.test('a token that trusted refuses raises no epoch, nor does it lengthen one', async (t) => {
  const distrusted = new Set<unknown>()
  const it = await openScene(
    t,
    good,
    {},
    { verifier: { leeway: 0, trusted: ({ claims }) => !distrusted.has(claims.sid) } }
  )
  const [sub, sid] = [randomUUID(), randomUUID()]
  distrusted.add(sid)
  const honest = it.token({ sub, epoch: 1 })
  t.equal(await it.verdict(it.token({ sub, sid, epoch: FAR })), 'invalid_token')
  t.equal(await it.verdict(honest), 'accepted')
  const { iat } = await it.verifier.verify(honest)
  const short = it.token({ sub: bob, epoch: 2, exp: iat + 10 })
  const low = it.token({ sub: bob, epoch: 1 })
  t.equal(await it.verdict(short), 'accepted')
  t.equal(await it.verdict(it.token({ sub: bob, sid, epoch: 2, exp: iat + 800 })), 'invalid_token')
  await it.clock.pass(11)
  t.equal(await it.verdict(low), 'accepted')
})
