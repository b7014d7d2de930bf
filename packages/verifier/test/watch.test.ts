// Tokens of connections that outlive a request.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import { settle } from './fake-clock.ts'
import { everybody, ISSUER_ORIGIN, revokedKey, session, subject } from './fake-feed.ts'
import { FakeKeys, type FeedScene, openScene } from './feed-scene.ts'

const [key, other] = await Promise.all([makeKey(), makeKey()])

/** Watches a token, and lists the reasons that are told. */
function watched({ verifier }: FeedScene, token: string): { reasons: string[]; stop: () => void } {
  const reasons: string[] = []
  return { reasons, stop: verifier.watch(token, (reason) => void reasons.push(reason)) }
}

t.test('an entry ends the watched tokens that it is about, at once and once', async (t) => {
  const it = await openScene(t, key)
  const [sub, sid] = [randomUUID(), randomUUID()]
  const tokens = [it.token({ sub, epoch: 1 }), it.token({ sid }), it.token({ sub, epoch: 2 }), it.token()]
  const all = tokens.map((token) => watched(it, token))
  await settle()
  it.feed.tells(subject(sub, 2), session(sid))
  await settle()
  const said = () => all.map(({ reasons }) => reasons.join())
  t.same(said(), ['revoked', 'revoked', '', ''])
  it.feed.tells(subject(sub, 2), session(sid))
  await it.clock.pass(5)
  t.same(said(), ['revoked', 'revoked', '', ''])
  it.feed.tells(everybody(ISSUER_ORIGIN + 1))
  await settle()
  t.same(said(), ['revoked', 'revoked', 'revoked', 'revoked'])
})

t.test('a revoked key ends the tokens that it signed', async (t) => {
  const it = await openScene(t, key, {}, { keys: new FakeKeys(key, other) })
  const [ofOther, ofKey] = [watched(it, it.token({}, other)), watched(it, it.token())]
  await settle()
  it.feed.tells(revokedKey(other.kid))
  await settle()
  t.same([ofOther.reasons, ofKey.reasons], [['revoked'], []])
})

t.test('expiry, a withdrawn key and a lost trust are told within a second or so', async (t) => {
  let isTrusted = true
  const it = await openScene(t, key, {}, { keys: new FakeKeys(key, other), verifier: { trusted: () => isTrusted } })
  const exp = ISSUER_ORIGIN + 10
  const [short, ofOther, long] = [it.token({ exp }), it.token({}, other), it.token()].map((token) => watched(it, token))
  await it.clock.pass(14)
  t.same([short?.reasons, ofOther?.reasons, long?.reasons], [[], [], []])
  await it.clock.pass(2)
  t.same([short?.reasons, ofOther?.reasons, long?.reasons], [['expired'], [], []])
  it.keys.lists(key)
  await it.clock.pass(1.1)
  t.same([ofOther?.reasons, long?.reasons], [['revoked'], []])
  isTrusted = false
  await it.clock.pass(1.1)
  t.same(long?.reasons, ['revoked'])
})

t.test('a cut ends what whenCut refuses, when it happens', async (t) => {
  for (const [whenCut, expected] of [
    ['refuse', ['unavailable']],
    ['recent', ['expired']],
    ['accept', []]
  ] as const) {
    const it = await openScene(t, key, { whenCut, bound: 10 })
    const { reasons } = watched(it, it.token())
    await it.clock.pass(20)
    it.feed.travel = () => new Promise(() => {})
    t.same(reasons, [])
    await it.clock.pass(14)
    t.same(reasons, expected)
  }
})

t.test(
  'a token that was never verified is verified first, and a bad one is told as ended, never at once',
  async (t) => {
    const it = await openScene(t, key)
    const bad = ['nonsense', it.token({}, other), it.token({ exp: ISSUER_ORIGIN - 60 })].map((token) =>
      watched(it, token)
    )
    t.same(
      bad.map(({ reasons }) => reasons),
      [[], [], []]
    )
    await settle()
    t.same(
      bad.map(({ reasons }) => reasons),
      [['revoked'], ['revoked'], ['expired']]
    )
  }
)

t.test('an entry that came while all was read again, by pages, ends the watched token', async (t) => {
  const sid = randomUUID()
  const it = await openScene(t, other, {}, { keys: new FakeKeys(key, other), prepare: (feed) => (feed.key = key) })
  const rows = [...it.feed.rows]
  it.feed.page = 5
  it.feed.tells(...Array.from({ length: 12 }, () => session(randomUUID())))
  await it.clock.pass(2)
  const { reasons } = watched(it, it.token({ sid }))
  await settle()
  // What the first key had told lacks the first row.
  it.feed.rows = rows
  it.feed.key = other
  it.keys.lists(other)
  it.feed.tells(session(sid), ...Array.from({ length: 12 }, () => session(randomUUID())))
  await it.clock.pass(3)
  t.match(it.revocations.status(), { state: 'current', entries: 13 })
  t.same(reasons, ['revoked'])
})

t.test('after the watching was ended nothing is told, and nothing is kept', async (t) => {
  const it = await openScene(t, key)
  const timers = it.clock.timers.length
  const sid = randomUUID()
  const { reasons, stop } = watched(it, it.token({ sid }))
  await settle()
  t.equal(it.clock.timers.length, timers + 1)
  stop()
  stop()
  t.equal(it.clock.timers.length, timers)
  const early = watched(it, it.token({ sid }))
  early.stop()
  it.feed.tells(session(sid))
  await it.clock.pass(3)
  t.same([reasons, early.reasons], [[], []])
})

t.test('an error or a rejected promise of one listener hurts no other', async (t) => {
  const it = await openScene(t, key)
  const warnings: string[] = []
  const warned = ({ message }: Error) => void warnings.push(message)
  process.on('warning', warned)
  t.teardown(() => void process.off('warning', warned))
  const sid = randomUUID()
  const token = it.token({ sid })
  it.verifier.watch(token, () => {
    throw new Error('thrown')
  })
  it.verifier.watch(token, async () => {
    throw new Error('rejected')
  })
  const { reasons } = watched(it, token)
  await settle()
  it.feed.tells(session(sid))
  await settle()
  t.same(reasons, ['revoked'])
  t.same(warnings, ['thrown', 'rejected'])
})

t.test('ten thousand watched tokens have one timer', async (t) => {
  const it = await openScene(t, key)
  const timers = it.clock.timers.length
  const sid = randomUUID()
  const token = it.token({ sid })
  const all = Array.from({ length: 10_000 }, () => watched(it, token))
  await settle()
  t.equal(it.clock.timers.length, timers + 1)
  it.feed.tells(session(sid))
  await settle()
  t.equal(all.filter(({ reasons }) => reasons.join() === 'revoked').length, 10_000)
  t.equal(it.clock.timers.length, timers)
})

t.test('what is no function is a TypeError', async (t) => {
  const it = await openScene(t, key)
  t.throws(() => it.verifier.watch(it.token(), undefined as never), TypeError)
})
