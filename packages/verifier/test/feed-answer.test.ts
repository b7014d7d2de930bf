// What is no answer of the feed: forged, old, of somebody else, cut off, too large, malformed.
import { randomUUID } from 'node:crypto'
import type { Revocations } from '@latchkey/tokens/revocations'
import t from 'tap'
import { accessClaims, accessToken, compact, type Members, makeKey, rs256 } from '../../testing/src/tokens.ts'
import { settle } from './fake-clock.ts'
import { AUDIENCE, type FeedQuestion, ISSUER, session, subject } from './fake-feed.ts'
import { type FeedScene, openScene } from './feed-scene.ts'

const [key, stranger] = await Promise.all([makeKey(), makeKey()])
const told = session(randomUUID())

type Travel = (question: FeedQuestion, it: FeedScene) => Response | Promise<Response>

const claims =
  (change: Members): Travel =>
  (question, { feed }) => {
    feed.change = { claims: (good) => ({ ...good, ...change }) }
    return feed.answer(question)
  }
const header =
  (change: Members): Travel =>
  (question, { feed }) => {
    feed.change = { header: change }
    return feed.answer(question)
  }
const text =
  (
    change: (good: string, it: FeedScene, question: FeedQuestion) => ConstructorParameters<typeof Response>[0]
  ): Travel =>
  (question, it) =>
    new Response(change(it.feed.text(question), it, question))
const entry = (...entry: unknown[]) => claims({ entries: [told, entry] })

/** What travels instead of a good answer. */
const NO_ANSWERS: Record<string, Travel> = {
  'signed by a key that is not in the set': text((_, it, question) => it.feed.text(question, stranger)),
  'signed by a stranger in the name of our key': (question, { feed }) => {
    feed.change = { header: { kid: key.kid } }
    return new Response(feed.text(question, stranger))
  },
  'of another typ': header({ typ: 'at+jwt' }),
  'without a typ': header({ typ: undefined }),
  'with alg none': header({ alg: 'none' }),
  'with a key of its own': header({ jwk: stranger.jwk }),
  'with crit': header({ crit: ['exp'] }),
  'an access token': text((_, it) => accessToken(key, accessClaims(ISSUER, AUDIENCE, it.clock.now() / 1000))),
  'of another issuer': claims({ iss: 'https://other.example.com' }),
  'without our nonce': claims({ nonces: ['a'.repeat(22)] }),
  'without nonces': claims({ nonces: undefined }),
  'with a text for nonces': (question, { feed }) => {
    feed.change = { claims: (good) => ({ ...good, nonces: question.nonce }) }
    return feed.answer(question)
  },
  'with 65 nonces': (question, { feed }) => {
    feed.change = { claims: (good) => ({ ...good, nonces: Array(65).fill(question.nonce) }) }
    return feed.answer(question)
  },
  'of another place': claims({ after: '7.0123456789abcdef' }),
  'without a place': claims({ after: undefined }),
  'to no place': claims({ to: '7' }),
  'without more': claims({ more: undefined }),
  'complete without a time': claims({ complete_at: null }),
  'complete at a text': claims({ complete_at: '2030' }),
  'with more and a time': claims({ more: true, complete_at: 1 }),
  'without iat': claims({ iat: undefined }),
  'without entries': claims({ entries: undefined }),
  'with an object for entries': claims({ entries: { 0: told } }),
  'half of it': text((good) => good.slice(0, good.length / 2)),
  'without its signature': text((good) => good.replace(/[^.]*$/, '')),
  'with a changed letter': text((good) => good.replace(/\.(.{40})./, (_, start) => `.${start}-`)),
  'twice in one': text((good) => `${good}${good}`),
  '5 MB of a good one': claims({ filler: 'x'.repeat(5_000_000) }),
  '5 MB without an end': text(() => 'x'.repeat(5_000_000)),
  nothing: text(() => ''),
  'a page': text(() => '<html>Sign in to the WLAN</html>'),
  'bytes that are no UTF-8': text(() => new Uint8Array([0xff, 0xfe])),
  'a redirect': () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/' } }),
  'a redirect with a good body': async (question, { feed }) =>
    new Response(await (await feed.answer(question)).text(), { status: 307, headers: { location: '/' } }),
  'an error with a good body': async (question, { feed }) =>
    new Response(await (await feed.answer(question)).text(), { status: 500 }),
  'an entry that is a text': claims({ entries: ['session'] }),
  'an entry without a kind': entry(null, told[1], null, 9),
  'a session with a number': entry('session', told[1], 1, 9),
  'a session without an end': entry('session', told[1], null, null),
  'a session with an end in half a second': entry('session', told[1], null, 0.5),
  'a session with an end before now': entry('session', told[1], null, -1),
  'a session with a whole SHA-256': entry('session', 'A'.repeat(43), null, 9),
  'a session whose hash has unused bits set': entry('session', `${'A'.repeat(21)}B`, null, 9),
  'a session with five members': entry('session', told[1], null, 9, 1),
  'a subject without an epoch': entry('subject', told[1], null, 9),
  'a subject with a negative epoch': entry('subject', told[1], -1, 9),
  'a subject with an epoch that is a text': entry('subject', told[1], '3', 9),
  'a key with an end': entry('key', 'kid', null, 9),
  'a key with a line end': entry('key', 'k\n', null, null),
  'everybody without a time': entry('all', null, null, 9),
  'everybody with a key': entry('all', 'x', 9, 9)
}

for (const [name, travel] of Object.entries(NO_ANSWERS)) {
  t.test(`it is no answer: ${name}`, async (t) => {
    const it = await openScene(t, key, { bound: 6 })
    await it.clock.pass(2)
    const before = it.revocations.status()
    it.feed.travel = (question) => travel(question, it)
    // The question that waits is still answered well.
    await it.clock.pass(2)
    const { place } = it.revocations.status()
    it.feed.rows.push({ place: '1.00000000000000aa', entry: told })
    await it.clock.pass(12)
    t.match(it.revocations.status(), { state: 'cut', place, entries: before.entries })
    t.ok(it.revocations.status().failures > 3)
    it.feed.change = {}
    it.feed.travel = undefined
    await it.clock.pass(4)
    t.match(it.revocations.status(), { state: 'current', entries: 1, failures: 0 })
  })
}

t.test('an old answer that is played again is no answer, however good it was', async (t) => {
  const it = await openScene(t, key, { bound: 10 })
  const texts: string[] = []
  it.feed.travel = async (question) => {
    const answer = await it.feed.answer(question)
    texts.push(await answer.clone().text())
    return answer
  }
  await it.clock.pass(20)
  t.ok(texts.length > 5)
  for (const old of texts) {
    it.feed.travel = () => new Response(old)
    await it.clock.pass(3)
  }
  t.equal(it.revocations.status().state, 'cut')
})

t.test('an answer to an earlier question that comes late is no answer to a later one', async (t) => {
  const it = await openScene(t, key, { bound: 10 })
  await it.clock.pass(5)
  let held: FeedQuestion | undefined
  it.feed.travel = (question) => {
    const earlier = held ?? question
    held = question
    return it.feed.answer(earlier)
  }
  await it.clock.pass(2)
  const { failures } = it.revocations.status()
  await it.clock.pass(20)
  t.equal(it.revocations.status().state, 'cut')
  t.ok(it.revocations.status().failures > failures)
})

t.test('an answer that comes in pieces is read, and one that stops in the middle is given up', async (t) => {
  const it = await openScene(t, key, { bound: 6 })
  const inPieces = (good: string, isWhole: boolean) =>
    new ReadableStream({
      start: (stream) => {
        for (const letter of good.match(/.{1,50}/gs) ?? []) stream.enqueue(new TextEncoder().encode(letter))
        if (isWhole) stream.close()
      }
    })
  it.feed.travel = (question) => new Response(inPieces(it.feed.text(question), true))
  await it.clock.pass(10)
  t.match(it.revocations.status(), { state: 'current', failures: 0 })
  it.feed.travel = (question) => new Response(inPieces(it.feed.text(question), false))
  await it.clock.pass(15)
  t.equal(it.revocations.status().state, 'cut')
})

t.test('entries of a kind that it does not know are left out, with one warning; the others count', async (t) => {
  const it = await openScene(t, key)
  const sub = randomUUID()
  const news = [['device', 'x', 1], ['tenant'], subject(sub, 4)]
  it.feed.change = { claims: (good: Revocations) => ({ ...good, entries: good.entries.length > 0 ? news : [] }) }
  for (let times = 0; times < 3; times += 1) {
    it.feed.tells(told)
    await it.clock.pass(1)
  }
  t.match(it.revocations.status(), { state: 'current', entries: 1 })
  t.equal(await it.verdict(it.token({ sub, epoch: 3 })), 'invalid_token')
  t.equal(it.log.filter((line) => line.includes('a kind that this version does not know')).length, 1)
})

t.test('an answer of the feed is no token', async (t) => {
  const it = await openScene(t, key)
  await settle()
  t.equal(await it.verdict(it.feed.text({ after: null, nonce: 'a'.repeat(22) })), 'invalid_token')
  const asToken = accessClaims(ISSUER, AUDIENCE, it.clock.now() / 1000) as unknown as Members
  const forged = compact({ alg: 'RS256', typ: 'revocations+jwt', kid: key.kid }, asToken, rs256(key))
  t.equal(await it.verdict(forged), 'invalid_token')
})
