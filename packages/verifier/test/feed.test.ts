// A receiver of the revocation feed under a played clock, with a played network.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import type { WhenCut } from '../src/feed/freshness.ts'
import { settle } from './fake-clock.ts'
import { everybody, type FakeFeed, type FeedQuestion, ISSUER_ORIGIN, placeOf, session, subject } from './fake-feed.ts'
import { openScene } from './feed-scene.ts'

const key = await makeKey()

t.test('an entry refuses the tokens that it is about, remembered or not, and no others', async (t) => {
  const it = await openScene(t, key)
  const [sub, sid] = [randomUUID(), randomUUID()]
  const before = it.token({ sub, epoch: 2 })
  const after = it.token({ sub, epoch: 3 })
  const ofSession = it.token({ sid })
  const other = it.token()
  const all = [before, ofSession, after, other]
  const say = () => Promise.all(all.map(it.verdict))
  t.same(await say(), ['accepted', 'accepted', 'accepted', 'accepted'])
  it.feed.tells(subject(sub, 3), session(sid))
  await settle()
  t.same(await say(), ['invalid_token', 'invalid_token', 'accepted', 'accepted'])
  t.throws(() => it.verifier.recall(ofSession), { code: 'invalid_token' })
  const unseen = [it.token({ sub, epoch: 2 }), it.token({ sid }), it.token({ sub, epoch: 3 })]
  t.same(await Promise.all(unseen.map(it.verdict)), ['invalid_token', 'invalid_token', 'accepted'])
})

t.test('everybody is logged out by one entry: tokens with a lower iat are refused', async (t) => {
  const it = await openScene(t, key)
  const time = ISSUER_ORIGIN + 10
  const tokens = [time - 1, time, time + 1].map((iat) => it.token({ iat, exp: iat + 900 }))
  await it.clock.pass(20)
  it.feed.tells(everybody(time))
  await settle()
  t.same(await Promise.all(tokens.map(it.verdict)), ['invalid_token', 'accepted', 'accepted'])
})

t.test('of two entries of a user the higher epoch stays, in whichever order they come', async (t) => {
  for (const epochs of [
    [2, 5],
    [5, 2]
  ]) {
    const it = await openScene(t, key)
    const sub = randomUUID()
    const tokens = [1, 4, 5].map((epoch) => it.token({ sub, epoch }))
    for (const epoch of epochs) {
      it.feed.tells(subject(sub, epoch))
      await it.clock.pass(1)
    }
    const fresh = [...tokens].reverse()
    t.same(await Promise.all(fresh.map(it.verdict)), ['accepted', 'invalid_token', 'invalid_token'])
  }
})

t.test('a revocation is known as soon as the issuer tells it, also one of many pages', async (t) => {
  const it = await openScene(t, key, {}, { prepare: (feed) => (feed.page = 10) })
  const tokens = Array.from({ length: 95 }, () => ({ sid: randomUUID() })).map((claims) => ({
    claims,
    text: it.token(claims)
  }))
  it.feed.tells(...tokens.map(({ claims }) => session(claims.sid)))
  await it.clock.pass(1)
  t.same(new Set(await Promise.all(tokens.map(({ text }) => it.verdict(text)))), new Set(['invalid_token']))
  t.match(it.revocations.status(), { state: 'current', entries: 95, received: 95, place: placeOf(95), failures: 0 })
})

t.test('it asks after its place, for a sixth of the bound, with a new nonce and its own name', async (t) => {
  for (const [bound, wait] of [
    [3, 0.5],
    [5, 0.833],
    [20, 3.333],
    [60, 5],
    [600, 5]
  ] as const) {
    const it = await openScene(t, key, { bound, token: 'a-token' })
    await it.clock.pass(12)
    const [first, second, third] = it.feed.asked
    t.match(first, { after: null, wait: 0 })
    t.match(second, { after: placeOf(0), wait })
    t.match(third, { after: placeOf(0), wait })
    t.equal(Math.round((Number(third?.at) - Number(second?.at)) * 1000) / 1000, wait)
    const nonces = it.feed.asked.map(({ nonce }) => nonce)
    t.equal(new Set(nonces).size, nonces.length)
    t.match(
      nonces,
      nonces.map(() => /^[A-Za-z0-9_-]{22}$/)
    )
    t.equal(first?.headers.get('authorization'), 'Bearer a-token')
    t.match(first?.headers.get('user-agent'), /^latchkey-verifier \(latchkey; [0-9a-f]{8}\)$/)
  }
})

/** What a token gets that was issued so many seconds before now, in each state. */
const STATES: Record<WhenCut, { starting: string; current: string; cutRecent: string; cutOld: string }> = {
  refuse: { starting: 'unavailable', current: 'accepted', cutRecent: 'unavailable', cutOld: 'unavailable' },
  recent: { starting: 'unavailable', current: 'accepted', cutRecent: 'accepted', cutOld: 'token_expired' },
  accept: { starting: 'accepted', current: 'accepted', cutRecent: 'accepted', cutOld: 'accepted' }
}

for (const [whenCut, expected] of Object.entries(STATES) as [WhenCut, (typeof STATES)[WhenCut]][]) {
  t.test(
    `whenCut ${whenCut}: what happens before the first answer, with a good feed, and when it is cut`,
    async (t) => {
      let isCut = true
      const cut = (question: FeedQuestion) => {
        if (isCut) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
        return it.feed.answer(question)
      }
      const it = await openScene(t, key, { whenCut, bound: 20 }, { prepare: (feed) => (feed.travel = cut as never) })
      const sid = randomUUID()
      const old = it.token()
      t.equal(await it.verdict(old), expected.starting)
      t.equal(it.revocations.status().state, 'starting')
      isCut = false
      it.feed.tells(session(sid))
      await it.clock.pass(5)
      t.equal(await it.verdict(old), expected.current)
      t.equal(it.revocations.status().state, 'current')
      t.equal(it.revocations.unready(), undefined)
      isCut = true
      await it.clock.pass(10)
      t.equal(await it.verdict(old), 'accepted', 'within the bound nothing changes')
      await it.clock.pass(20)
      t.equal(it.revocations.status().state, 'cut')
      const found = {
        starting: expected.starting,
        current: expected.current,
        cutRecent: await it.verdict(it.token()),
        cutOld: await it.verdict(old)
      }
      t.strictSame(found, expected)
      t.equal(await it.verdict(it.token({ sid })), 'invalid_token', 'what it knows is refused in each state')
      t.equal(it.revocations.unready() === undefined, whenCut === 'accept')
      isCut = false
      await it.clock.pass(3)
      t.equal(it.revocations.status().state, 'current')
      t.equal(await it.verdict(old), 'accepted')
    }
  )
}

t.test('a cut begins when the bound is over since the last question that was answered was sent', async (t) => {
  for (const bound of [3, 5, 60]) {
    const it = await openScene(t, key, { bound })
    await it.clock.pass(30)
    const lastSent = Number(it.feed.asked.at(-2)?.at)
    it.feed.travel = () => new Promise(() => {})
    const token = it.token()
    // The question that waits is answered still.
    await it.clock.pass(lastSent + bound - it.clock.elapsed() / 1000 - 0.001)
    const sent = it.feed.asked.filter(({ at }) => at <= lastSent).at(-1)
    t.ok(sent)
    const age = it.revocations.status().age ?? 0
    await it.clock.pass(bound - age - 0.002)
    t.equal(await it.verdict(token), 'accepted')
    await it.clock.pass(0.004)
    t.equal(await it.verdict(token), 'unavailable')
  }
})

t.test('one lost answer makes no cut, whatever the bound', async (t) => {
  for (const bound of [3, 5, 10, 60]) {
    for (const jitter of [0, 0.999]) {
      const it = await openScene(t, key, { bound })
      it.clock.jitter = jitter
      await it.clock.pass(20)
      let lost = 0
      it.feed.travel = (question) => {
        lost += 1
        return lost === 1 ? new Promise(() => {}) : it.feed.answer(question)
      }
      for (let tenths = 0; tenths < 300; tenths += 1) {
        await it.clock.pass(0.1)
        t.equal(it.revocations.status().state, 'current', `bound ${bound}, ${tenths} tenths`)
      }
      t.ok(lost > 1)
    }
  }
})

t.test('after failures it asks again after 0.5 to 2 seconds, without waiting for news', async (t) => {
  for (const jitter of [0, 0.999]) {
    const it = await openScene(t, key)
    it.clock.jitter = jitter
    await it.clock.pass(11)
    const before = it.feed.asked.length
    it.feed.travel = () => new Response(null, { status: 500 })
    await it.clock.pass(20)
    const failing = it.feed.asked.slice(before + 1)
    const pauses = failing.slice(1).map(({ at }, index) => at - Number(failing[index]?.at))
    t.ok(Math.min(...pauses) >= 0.5, `${pauses}`)
    t.ok(Math.max(...pauses) <= 2, `${pauses}`)
    t.same(new Set(failing.map(({ wait }) => wait)), new Set([0]))
  }
})

t.test('Retry-After is honoured within the back-off', async (t) => {
  for (const [retryAfter, least] of [
    ['1', 1],
    ['3600', 2],
    ['Fri, 31 Dec 1999 23:59:59 GMT', 0.5]
  ] as const) {
    const it = await openScene(
      t,
      key,
      {},
      {
        prepare: (feed) => {
          feed.travel = () => new Response(null, { status: 503, headers: { 'retry-after': retryAfter } })
        }
      }
    )
    await it.clock.pass(2.1)
    const [first, second] = it.feed.asked
    const pause = Number(second?.at) - Number(first?.at)
    t.ok(pause >= least && pause <= 2, `${retryAfter}: ${pause}`)
  }
})

t.test('Retry-After of a good answer is honoured, at most two seconds, and makes no cut', async (t) => {
  for (const [retryAfter, least, most] of [
    ['1', 1, 1.1],
    ['3600', 2, 2.1]
  ] as const) {
    const crowded = (feed: FakeFeed) => {
      feed.travel = async (question) => {
        const answer = new Response(feed.text(question))
        answer.headers.set('retry-after', retryAfter)
        return answer
      }
    }
    const it = await openScene(t, key, { bound: 3 }, { prepare: crowded })
    for (let tenths = 0; tenths < 80; tenths += 1) {
      await it.clock.pass(0.1)
      t.equal(it.revocations.status().state, 'current')
    }
    const pauses = it.feed.asked.slice(1).map(({ at }, index) => at - Number(it.feed.asked[index]?.at))
    t.ok(pauses.length > 2 && pauses.every((pause) => pause >= least && pause <= most), pauses.join())
  }
})

t.test(
  'a database that lost commits is noticed: it merges, keeps what it holds, and goes on from the new place',
  async (t) => {
    const it = await openScene(t, key)
    const [lost, kept, later] = [randomUUID(), randomUUID(), randomUUID()]
    it.feed.tells(session(kept), session(lost))
    await it.clock.pass(1)
    // A restore: the rows after the first are others, and their numbers are given again.
    it.feed.rows = it.feed.rows.slice(0, 2)
    it.feed.rows.push({ place: placeOf(2, 'b'), entry: session(later) })
    await it.clock.pass(6)
    const tokens = [lost, kept, later].map((sid) => it.token({ sid }))
    t.same(await Promise.all(tokens.map(it.verdict)), ['invalid_token', 'invalid_token', 'invalid_token'])
    t.equal(it.revocations.status().place, placeOf(2, 'b'))
    t.equal(it.log.filter((line) => line.includes('began anew')).length, 1)
    it.feed.rows = [{ place: placeOf(0, 'c'), entry: undefined }]
    await it.clock.pass(6)
    t.match(it.revocations.status(), { place: placeOf(0, 'c'), state: 'current', entries: 3 })
  }
)

for (const [whenCut, refusal, recent] of [
  ['refuse', 'unavailable', 'unavailable'],
  ['recent', 'token_expired', 'accepted']
] as const) {
  t.test(`whenCut ${whenCut}: no wall clock counts; 60 seconds off, or stepping, it changes nothing`, async (t) => {
    for (const wrong of [-60_000, 60_000]) {
      const it = await openScene(t, key, { whenCut, bound: 5 })
      const token = it.token()
      for (let step = 0; step < 20; step += 1) {
        it.clock.wrong = step % 2 ? wrong : 0
        await it.clock.pass(0.7)
        t.equal(await it.verdict(token), 'accepted')
      }
      it.feed.travel = () => new Promise(() => {})
      await it.clock.pass(7)
      it.clock.wrong = -wrong
      t.equal(await it.verdict(token), refusal)
      t.equal(await it.verdict(it.token()), recent)
    }
  })
}

t.test('a laptop that slept knows that its knowledge is old, before any answer', async (t) => {
  for (const [whenCut, expected] of [
    ['refuse', 'unavailable'],
    ['recent', 'token_expired'],
    ['accept', 'accepted']
  ] as const) {
    const it = await openScene(t, key, { whenCut })
    await it.clock.pass(12)
    const token = it.token()
    t.equal(await it.verdict(token), 'accepted')
    it.clock.sleep(120)
    t.equal(await it.verdict(token), expected)
    await it.clock.pass(10)
    t.equal(await it.verdict(token), 'accepted')
  }
})

t.test('the log says each change of the state, why, and once a minute that it lasts', async (t) => {
  const it = await openScene(t, key, { whenCut: 'accept', bound: 10 })
  await it.clock.pass(30)
  it.feed.travel = () => new Response(null, { status: 502 })
  await it.clock.pass(200)
  it.feed.travel = undefined
  await it.clock.pass(10)
  t.match(it.log, [
    'info: the revocation feed is opened',
    'info: the revocation feed is current',
    'warn: the revocation feed was not read (the feed answered 502)',
    /^warn: the revocation feed is cut: revoked tokens are accepted unless they are known already/,
    /^warn: the revocation feed is cut: .* \(the feed answered 502\)/,
    /^warn: the revocation feed is cut/,
    /^warn: the revocation feed is cut/,
    'info: the revocation feed is current'
  ])
})

t.test('more entries than maxEntries are a cut, also while answers come, until there is room again', async (t) => {
  const it = await openScene(t, key, { maxEntries: 100 })
  const sids = Array.from({ length: 120 }, () => randomUUID())
  const token = it.token()
  it.feed.tells(...sids.slice(0, 60).map((sid) => session(sid, 30)))
  await it.clock.pass(1)
  t.equal(it.log.filter((line) => line.includes('half of maxEntries')).length, 1)
  t.equal(await it.verdict(token), 'accepted')
  it.feed.tells(...sids.slice(60).map((sid) => session(sid, 960)))
  await it.clock.pass(1)
  t.match(it.revocations.status(), { state: 'cut', entries: 100 })
  t.equal(await it.verdict(token), 'unavailable')
  t.match(it.log.at(-1), /raise maxEntries/)
  await it.clock.pass(40)
  t.match(it.revocations.status(), { state: 'current', entries: 60 })
  t.equal(await it.verdict(token), 'accepted')
  const ofLater = sids.slice(60).map((sid) => it.token({ sid }))
  t.same(new Set(await Promise.all(ofLater.map(it.verdict))), new Set(['invalid_token']))
})

t.test('after it is closed it asks nothing, and is cut when the bound is over', async (t) => {
  const it = await openScene(t, key, { bound: 5 })
  await it.clock.pass(3)
  await it.revocations.close()
  await settle()
  const asked = it.feed.asked.length
  await it.clock.pass(10)
  t.equal(it.feed.asked.length, asked)
  t.equal(it.revocations.status().state, 'cut')
  t.equal(await it.verdict(it.token()), 'unavailable')
  t.equal(it.clock.timers.length, 0)
})
