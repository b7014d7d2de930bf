import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Problem } from '@latchkey/problems/problem'
import t, { type Test } from 'tap'
import { makeKey, type TestKey } from '../../testing/src/tokens.ts'
import { RemoteKeySet } from '../src/remote-key-set.ts'
import type { RemoteKeySetOptions } from '../src/remote-key-set-options.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { FakeIssuer, URL } from './fake-issuer.ts'

const [a, b, c] = await Promise.all([makeKey(), makeKey(), makeKey()])
const DAY = 86_400

/** A key set of a fake issuer under a clock that the test moves. */
interface Scene {
  readonly set: RemoteKeySet
  readonly clock: FakeClock
  readonly issuer: FakeIssuer
  readonly log: { level: string; message: string; details: object }[]
}

type Stage = Pick<Scene, 'clock' | 'issuer'>

/** Opens a key set; `prepare` says how the issuer answers the first fetch, which is over when this returns. */
async function open(
  t: Test,
  prepare: (stage: Stage) => void,
  options: Partial<RemoteKeySetOptions> = {}
): Promise<Scene> {
  const clock = new FakeClock()
  const issuer = new FakeIssuer(clock)
  const log: Scene['log'] = []
  const write = (level: string) => (details: object, message: string) => log.push({ level, message, details })
  prepare({ clock, issuer })
  const set = await RemoteKeySet.open({
    url: URL,
    clock,
    fetch: issuer.fetch,
    log: { info: write('info'), warn: write('warn') },
    ...options
  })
  t.teardown(() => set.close())
  await settle()
  return { set, clock, issuer, log }
}

/** Whether the key was found; `unknown` is 401, `unavailable` with its seconds 503. */
type Outcome = 'waiting' | 'found' | 'unknown' | `unavailable ${string}`

/** Asks for a key and tells how that stands, now and later. */
function ask(set: RemoteKeySet, kid: string): { is: Outcome } {
  const asked: { is: Outcome } = { is: 'waiting' }
  set.find(kid).then(
    (key) => {
      asked.is = key ? 'found' : 'unknown'
    },
    (error: Problem) => {
      asked.is = `unavailable ${error.options.retryAfter?.toFixed(2)}`
    }
  )
  return asked
}

async function outcome(set: RemoteKeySet, kid: string): Promise<Outcome> {
  const asked = ask(set, kid)
  await settle()
  return asked.is
}

const publishing =
  (...keys: TestKey[]) =>
  ({ issuer }: Stage) =>
    issuer.publishes(keys.map(({ jwk }) => jwk))
const failing = ({ issuer }: Stage) => issuer.fails()
const times = ({ asked }: FakeIssuer) => asked.map(({ at }) => at)

t.test('1: a start fetches at once and does not wait for the answer', async (t) => {
  let release = () => {}
  const { set, issuer } = await open(t, ({ issuer }) => {
    issuer.publishes([a.jwk])
    release = issuer.hold()
  })
  t.same(times(issuer), [0])
  t.match(set.unready(), URL)
  t.equal(set.held(a.kid), undefined)
  release()
  await settle()
  t.equal(set.unready(), undefined)
  t.equal(set.held(a.kid)?.kid, a.kid)
})

t.test('2: one fetch runs at a time, and all who ask meanwhile wait for it', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  await clock.pass(10)
  issuer.publishes([a.jwk, b.jwk])
  const release = issuer.hold()
  const asked = [b.kid, b.kid, c.kid, 'x', 'y'].map((kid) => ask(set, kid))
  await settle()
  t.same(times(issuer), [0, 10])
  t.same(
    asked.map(({ is }) => is),
    Array(5).fill('waiting')
  )
  t.equal(await outcome(set, a.kid), 'found', 'a known key waits for nothing')
  release()
  await settle()
  t.same(
    asked.map(({ is }) => is),
    ['found', 'found', 'unknown', 'unknown', 'unknown']
  )
  t.same(times(issuer), [0, 10])
})

t.test('2: a timer that ends while a fetch runs begins no other', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  await clock.pass(449)
  const release = issuer.hold()
  ask(set, b.kid)
  await clock.pass(2)
  t.same(times(issuer), [0, 449])
  release()
  await settle()
  t.same(clock.timers, [448], 'there is one timer, that of the answer')
})

const GOOD_ANSWERS: Record<string, () => Response> = {
  'a set': () => Response.json({ keys: [b.jwk] }),
  'a set as text': () => new Response(JSON.stringify({ keys: [b.jwk] })),
  'a set of other media type': () =>
    new Response(JSON.stringify({ keys: [b.jwk] }), { headers: { 'content-type': 'text/html' } }),
  'a set with odd keys beside good ones': () => Response.json({ keys: [{ kty: 'EC' }, { ...c.jwk, e: 'AQ' }, b.jwk] }),
  'a set with more members': () => Response.json({ iss: 'x', keys: [b.jwk] })
}

t.test('3: a good answer replaces the set whole', async (t) => {
  for (const [name, answer] of Object.entries(GOOD_ANSWERS)) {
    const { set, clock, issuer } = await open(t, publishing(a))
    issuer.answers(answer)
    await clock.pass(600)
    t.same([set.held(a.kid)?.kid, set.held(b.kid)?.kid, set.held(c.kid)?.kid], [undefined, b.kid, undefined], name)
  }
})

t.test('3: 304 to our ETag keeps the set and makes it new again', async (t) => {
  const { set, clock, issuer } = await open(t, ({ issuer }) => issuer.publishes([a.jwk], { etag: '"1"' }), {
    staleAge: 700
  })
  issuer.answers(() => new Response(null, { status: 304 }))
  await clock.pass(1000)
  t.same(issuer.asked, [
    { at: 0, etag: null },
    { at: 450, etag: '"1"' },
    { at: 900, etag: '"1"' }
  ])
  t.equal(set.held(a.kid)?.kid, a.kid)
  t.equal(set.unready(), undefined)
})

t.test('3: a set that changes is fetched anew with its own ETag', async (t) => {
  const { clock, issuer } = await open(t, ({ issuer }) => issuer.publishes([a.jwk], { etag: '"1"' }))
  issuer.publishes([b.jwk], { etag: '"2"' })
  await clock.pass(450)
  issuer.publishes([b.jwk])
  await clock.pass(900)
  t.same(
    issuer.asked.map(({ etag }) => etag),
    [null, '"1"', '"2"', null]
  )
})

/** Cache-Control of the answer, and after how many seconds the set is fetched again with the least and the most jitter. */
const AGES: [headers: Record<string, string>, least: number, most: number][] = [
  [{}, 450, 540],
  [{ 'cache-control': 'max-age=300' }, 225, 270],
  [{ 'cache-control': 'max-age=300', age: '200' }, 75, 90],
  [{ 'cache-control': 'max-age=1' }, 22.5, 27],
  [{ 'cache-control': 'no-store' }, 22.5, 27],
  [{ 'cache-control': 'max-age=86400' }, 450, 540]
]

t.test('3: the set is fetched again after three quarters to nine tenths of its age, which has bounds', async (t) => {
  for (const [headers, least, most] of AGES) {
    for (const [jitter, seconds] of [
      [0, least],
      [1, most]
    ] as const) {
      const { clock } = await open(t, ({ clock, issuer }) => {
        clock.jitter = jitter
        issuer.publishes([a.jwk], headers)
      })
      t.same(clock.timers.map(Math.round), [Math.round(seconds)], JSON.stringify(headers))
    }
  }
})

t.test('3: all ages count from the begin of the fetch', async (t) => {
  let release = () => {}
  const { set, clock, issuer } = await open(
    t,
    ({ issuer }) => {
      issuer.publishes([a.jwk])
      release = issuer.hold()
    },
    { staleAge: 100 }
  )
  await clock.pass(2)
  release()
  await settle()
  t.same(clock.timers, [448], 'the time to the next fetch')
  issuer.fails()
  ask(set, b.kid)
  await clock.pass(3)
  t.same(times(issuer), [0, 5], 'the cooldown')
  await clock.pass(94.9)
  t.equal(set.unready(), undefined)
  await clock.pass(0.1)
  t.match(set.unready(), URL, 'the time to being stale')
})

const BAD_ANSWERS: Record<string, () => Response> = {
  'a fault of its own': () => new Response('oops', { status: 500 }),
  'a page of HTML': () => new Response('<html>maintenance</html>', { headers: { 'content-type': 'text/html' } }),
  nothing: () => new Response(''),
  'an empty set': () => Response.json({ keys: [] }),
  'a set of keys that are none': () => Response.json({ keys: [{ ...b.jwk, e: 'AQ' }, { kty: 'X' }] }),
  'something that is no set': () => Response.json({ jwks: [b.jwk] }),
  'a list': () => Response.json([b.jwk]),
  'a redirect': () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/' } }),
  '304 that nobody asked for': () => new Response(null, { status: 304 }),
  'no content': () => new Response(null, { status: 204 }),
  'too much': () => new Response(`${JSON.stringify({ keys: [b.jwk] })}${' '.repeat(256 * 1024)}`),
  'bytes that are no UTF-8': () => new Response(Buffer.from([0xff, 0xfe])),
  'no connection': () => {
    throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
  }
}

t.test('4: any other answer leaves the set as it was, is tried again soon, and is told', async (t) => {
  for (const [name, answer] of Object.entries(BAD_ANSWERS)) {
    const { set, clock, issuer, log } = await open(t, publishing(a))
    issuer.answers(answer)
    await clock.pass(450)
    t.equal(await outcome(set, a.kid), 'found', name)
    t.same(clock.timers, [0.5], `${name}: the next try`)
    t.match(log.at(-1), { level: 'warn', message: /^key set not fetched: \S/, details: { failures: 1 } }, name)
    t.equal(set.unready(), undefined, name)
  }
})

t.test('4: a name with several addresses that all refuse is told with what each said', async (t) => {
  const { clock, issuer, log } = await open(t, publishing(a))
  const cause = new AggregateError([new Error('connect ECONNREFUSED ::1'), new Error('connect ECONNREFUSED 127.0.0.1')])
  issuer.answers(() => {
    throw new TypeError('fetch failed', { cause })
  })
  await clock.pass(450)
  t.equal(log.at(-1)?.message, 'key set not fetched: connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1')
})

t.test('4: failures wait 1, 2, 4, 8 and then 15 seconds, half of it at least', async (t) => {
  for (const [jitter, waits] of [
    [0, [0.5, 1, 2, 4, 7.5, 7.5, 7.5]],
    [1, [1, 2, 4, 8, 15, 15, 15]]
  ] as const) {
    const { clock } = await open(t, ({ clock, issuer }) => {
      clock.jitter = jitter
      issuer.fails()
    })
    for (const wait of waits) {
      t.same(clock.timers, [wait])
      await clock.pass(wait)
    }
  }
})

t.test('4: a good answer ends the back-off, and the next failure begins it anew', async (t) => {
  const { clock, issuer } = await open(t, failing)
  await clock.pass(7.4)
  t.same(
    clock.timers.map((seconds) => seconds.toFixed(1)),
    ['0.1']
  )
  issuer.publishes([a.jwk])
  await clock.pass(0.1)
  t.same(clock.timers, [450])
  issuer.fails()
  await clock.pass(450)
  t.same(clock.timers, [0.5])
})

t.test('5: without a set all wait for the fetch that runs', async (t) => {
  let release = () => {}
  const { set } = await open(t, ({ issuer }) => {
    issuer.publishes([a.jwk])
    release = issuer.hold()
  })
  const [known, unknown] = [ask(set, a.kid), ask(set, b.kid)]
  await settle()
  t.same([known.is, unknown.is], ['waiting', 'waiting'])
  release()
  await settle()
  t.same([known.is, unknown.is], ['found', 'unknown'])
})

t.test(
  '5: without a set and without a fetch to wait for the answer is 503, with the time of the next fetch',
  async (t) => {
    const { set, clock } = await open(t, failing)
    t.equal(await outcome(set, a.kid), 'unavailable 0.50')
    await clock.pass(0.5)
    await clock.pass(0.75)
    t.equal(await outcome(set, a.kid), 'unavailable 0.25')
    t.match(set.unready(), URL)
  }
)

t.test(
  '5: a cold start without an issuer asks it at most five times in fifteen seconds, however many ask us',
  async (t) => {
    const { set, clock, issuer } = await open(t, failing)
    for (let i = 0; i < 1499; i += 1) {
      await clock.pass(0.01)
      for (const kid of [a.kid, 'x', `k${i}`]) set.find(kid).catch(() => {})
    }
    t.same(times(issuer), [0, 0.5, 1.5, 3.5, 7.5])
  }
)

t.test('5: who asks on demand when a fetch is allowed starts it and gets its answer', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a), { staleAge: 60 })
  issuer.publishes([b.jwk])
  await clock.pass(60)
  t.match(set.unready(), URL)
  t.equal(await outcome(set, b.kid), 'found')
  t.same(times(issuer), [0, 60])
})

t.test('6: a set is held until it is stale, counted from the begin of the last good fetch', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a), { staleAge: 600 })
  issuer.fails()
  await clock.pass(599)
  t.equal(await outcome(set, a.kid), 'found')
  t.equal(set.unready(), undefined)
  await clock.pass(1)
  t.equal(set.held(a.kid), undefined)
  t.match(set.unready(), URL)
  t.match(await outcome(set, a.kid), /^unavailable/)
  issuer.publishes([a.jwk])
  await clock.pass(15)
  t.equal(await outcome(set, a.kid), 'found')
})

t.test('6: a scheduled fetch that runs makes no set stale', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  issuer.hold()
  await clock.pass(450)
  t.equal(await outcome(set, a.kid), 'found')
})

t.test('6: the wall clock alone says what is stale: a step forward empties the set until the next fetch', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  await clock.pass(5)
  clock.wrong = (DAY - 5) * 1000 - 1
  t.equal(set.unready(), undefined, 'a day is what it may be old')
  clock.wrong += 1
  t.match(set.unready(), URL)
  t.equal(await outcome(set, a.kid), 'found', 'the demand fetched it again')
  t.same(times(issuer), [0, 5])
  t.equal(set.unready(), undefined)
})

t.test('7: an unknown key is asked for at once when the cooldown is over', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  issuer.publishes([a.jwk, b.jwk])
  await clock.pass(5)
  t.equal(await outcome(set, b.kid), 'found')
  t.same(times(issuer), [0, 5])
})

t.test('7: a key that was published inside the cooldown is accepted, by waiting for its end', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  issuer.publishes([a.jwk, b.jwk])
  await clock.pass(1)
  const asked = ask(set, b.kid)
  await clock.pass(3.9)
  t.equal(asked.is, 'waiting')
  t.same(times(issuer), [0])
  await clock.pass(0.1)
  t.equal(asked.is, 'found')
  t.same(times(issuer), [0, 5])
})

t.test('7: the timer keeps a process alive while somebody waits, and only then', async (t) => {
  const { set, clock } = await open(t, publishing(a))
  t.equal(clock.holding, false, 'nobody waits')
  const asked = ask(set, b.kid)
  t.equal(clock.holding, true)
  await clock.pass(5)
  t.same([asked.is, clock.holding], ['unknown', false])
  ask(set, b.kid)
  t.equal(clock.holding, true)
  set.close()
  t.equal(clock.holding, false)
})

t.test('7: many who wait pull the timer once, and nobody pushes it', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a), { minAge: 2, maxAge: 2, cooldown: 3600 })
  for (const kid of ['x', 'y', 'z']) ask(set, kid)
  await settle()
  t.same(clock.timers, [1.5], 'the set is fetched again when its age says so')
  await clock.pass(1.5)
  t.same(times(issuer), [0, 1.5])
})

t.test('7: while the issuer errs an unknown key does not wait', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  issuer.fails()
  await clock.pass(450)
  t.equal(await outcome(set, b.kid), 'unavailable 0.50')
  t.same(times(issuer), [0, 450])
})

t.test('8: a key that a good set lacks is unknown, and one that an old set lacks is not', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  await clock.pass(10)
  t.equal(await outcome(set, b.kid), 'unknown')
  await clock.pass(10)
  issuer.fails()
  t.equal(await outcome(set, b.kid), 'unavailable 0.50')
  t.equal(await outcome(set, a.kid), 'found')
})

t.test('8: a key that was withdrawn is unknown after the next fetch', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a, b))
  issuer.publishes([b.jwk])
  await clock.pass(540)
  t.equal(set.held(a.kid), undefined)
  t.equal(await outcome(set, b.kid), 'found')
  const asked = ask(set, a.kid)
  await clock.pass(5)
  t.equal(asked.is, 'unknown')
})

t.test('8: before any fetch was good, keys out of a file prove nothing', async (t) => {
  const file = join(t.testdir({ 'seed.json': JSON.stringify({ keys: [a.jwk] }) }), 'seed.json')
  const { set, clock } = await open(t, ({ issuer }) => issuer.hold(), { file })
  await clock.pass(1)
  for (let i = 0; i < 100; i += 1) ask(set, `k${i}`)
  t.equal(await outcome(set, a.kid), 'found')
  t.equal(await outcome(set, b.kid), 'unavailable 0.00', 'the hundred-and-first does not wait, nor is it told 401')
})

t.test('9: a hundred wait at a time, and one more is answered at once', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  await clock.pass(1)
  const waiting = Array.from({ length: 100 }, (_, i) => ask(set, `k${i}`))
  t.equal(await outcome(set, b.kid), 'unknown')
  t.equal(await outcome(set, a.kid), 'found')
  t.same(new Set(waiting.map(({ is }) => is)), new Set(['waiting']))
  issuer.publishes([a.jwk, b.jwk])
  await clock.pass(4)
  t.same(new Set(waiting.map(({ is }) => is)), new Set(['unknown']))
  await clock.pass(1)
  const [known, unknown] = [ask(set, b.kid), ask(set, 'x')]
  await settle()
  t.same([known.is, unknown.is], ['found', 'waiting'], 'there is room again')
})

t.test('a flood of unknown keys costs one fetch a cooldown, and the known ones are found all along', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  const refused = { unknown: 0, other: 0 }
  for (let i = 0; i < 2000; i += 1) {
    for (let j = 0; j < 5; j += 1) {
      set.find(`flood-${i}-${j}`).then(
        () => (refused.unknown += 1),
        () => (refused.other += 1)
      )
    }
    if ((await set.find(a.kid)) === undefined) t.fail('a known key was not found')
    await clock.pass(0.005)
  }
  t.same(times(issuer), [0, 5, 10])
  t.same(refused, { unknown: 10_000, other: 0 })
})

t.test('close ends the timer, the fetch that runs, and the wait of everybody', async (t) => {
  const { set, clock, issuer } = await open(t, publishing(a))
  await clock.pass(1)
  const waiting = ask(set, b.kid)
  await settle()
  t.equal(waiting.is, 'waiting')
  set.close()
  await settle()
  t.match(waiting.is, /^unavailable/)
  t.same(clock.timers, [])
  await clock.pass(DAY - 2)
  t.equal(await outcome(set, a.kid), 'found', 'what is held is held')
  t.match(await outcome(set, b.kid), /^unavailable/)
  t.same(times(issuer), [0])
})

t.test('close ends a fetch that runs, and nothing follows from it', async (t) => {
  let signal: AbortSignal | null | undefined
  const { set, clock, log } = await open(t, () => {}, {
    fetch: (_url, init) => {
      signal = init?.signal
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal?.reason)))
    }
  })
  const waiting = ask(set, a.kid)
  set.close()
  await settle()
  t.equal(signal?.aborted, true)
  t.match(waiting.is, /^unavailable/)
  t.same(clock.timers, [])
  t.same(log, [])
})

const CACHED = { url: URL, good_at: Date.UTC(2030, 0) - 3_600_000, keys: [a.jwk] }

/** A folder with a cache file and a seed file, each as given. */
function files(t: Test, cache: unknown, seed?: unknown): Pick<RemoteKeySetOptions, 'cacheFile' | 'file'> {
  const text = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content))
  const dir = t.testdir({
    ...(cache !== undefined && { 'cache.json': text(cache) }),
    ...(seed !== undefined && { 'seed.json': text(seed) })
  })
  return { cacheFile: join(dir, 'cache.json'), ...(seed !== undefined && { file: join(dir, 'seed.json') }) }
}

t.test('1: a kept set serves a start without the issuer, until it is as old as a set may be', async (t) => {
  const { set, clock, issuer } = await open(t, failing, { ...files(t, CACHED), staleAge: 3700 })
  t.same(times(issuer), [0], 'the issuer is asked all the same')
  t.equal(await outcome(set, a.kid), 'found')
  t.equal(set.unready(), undefined)
  await clock.pass(99)
  t.equal(await outcome(set, a.kid), 'found')
  await clock.pass(1)
  t.match(await outcome(set, a.kid), /^unavailable/)
})

t.test('1: the first fetch takes the place of a kept set', async (t) => {
  const { set } = await open(t, publishing(b), files(t, CACHED))
  t.same([set.held(a.kid)?.kid, set.held(b.kid)?.kid], [undefined, b.kid])
})

const NOT_KEPT: Record<string, unknown> = {
  'kept for another URL': { ...CACHED, url: `${URL}x` },
  'of a future time': { ...CACHED, good_at: Date.UTC(2030, 0) + 1 },
  'cut off': JSON.stringify(CACHED).slice(0, -9),
  'of keys that are none': { ...CACHED, keys: [{ ...a.jwk, e: 'AQ' }] },
  'that is not there': undefined
}

t.test('1: a kept set of no use is passed over, and a seed file stands in for it', async (t) => {
  for (const [name, cache] of Object.entries(NOT_KEPT)) {
    const { set } = await open(t, failing, files(t, cache))
    t.match(set.unready(), URL, `one ${name}`)
    const seeded = await open(t, failing, files(t, cache, { keys: [b.jwk] }))
    t.same([seeded.set.held(a.kid)?.kid, seeded.set.held(b.kid)?.kid], [undefined, b.kid], `one ${name}, with a seed`)
  }
})

t.test('1: a kept set goes before a seed file, and neither adds to a fetched one', async (t) => {
  const { set, clock, issuer } = await open(t, failing, files(t, CACHED, { keys: [b.jwk] }))
  t.same([set.held(a.kid)?.kid, set.held(b.kid)?.kid], [a.kid, undefined])
  issuer.publishes([c.jwk])
  await clock.pass(1)
  t.same(
    [a, b, c].map(({ kid }) => set.held(kid)?.kid),
    [undefined, undefined, c.kid]
  )
})

t.test('1: a seed file is new at the start and grows old like any set', async (t) => {
  const file = join(t.testdir({ 'seed.json': JSON.stringify({ keys: [a.jwk] }) }), 'seed.json')
  const { set, clock } = await open(t, failing, { file, staleAge: 100 })
  await clock.pass(99)
  t.equal(await outcome(set, a.kid), 'found')
  await clock.pass(1)
  t.match(await outcome(set, a.kid), /^unavailable/)
})

t.test('1: a seed file that is not there or holds no key keeps the set from opening', async (t) => {
  const dir = t.testdir({ 'empty.json': '{"keys":[]}', 'broken.json': '{' })
  for (const file of ['none.json', 'empty.json', 'broken.json']) {
    const path = join(dir, file)
    await t.rejects(open(t, failing, { file: path }), { message: new RegExp(path) })
  }
})

t.test('3: a fetched set is kept with its URL and the time of its fetch, public members alone', async (t) => {
  const { cacheFile = '' } = files(t, undefined)
  const { clock, issuer, log } = await open(
    t,
    ({ issuer }) => issuer.publishes([{ ...a.jwk, x: 'y' }, { kty: 'X' }], { etag: '"1"' }),
    { cacheFile }
  )
  const { kty, n, e, kid } = a.jwk
  const kept = { url: URL, good_at: Date.UTC(2030, 0), keys: [{ kty, n, e, kid }] }
  t.same(await written(cacheFile, kept.good_at), kept)
  issuer.answers(() => new Response(null, { status: 304 }))
  await clock.pass(450)
  t.same(await written(cacheFile, kept.good_at + 450_000), { ...kept, good_at: kept.good_at + 450_000 })
  issuer.fails()
  await clock.pass(540)
  t.same(JSON.parse(await readFile(cacheFile, 'utf8')).good_at, kept.good_at + 450_000, 'a failure is not kept')
  t.same(
    log.filter(({ message }) => /could not be kept/.test(message)),
    []
  )
})

t.test('a set that cannot be kept is told and used', async (t) => {
  const dir = t.testdir()
  await writeFile(join(dir, 'file'), '')
  const { set, log } = await open(t, publishing(a), { cacheFile: join(dir, 'file', 'cache.json') })
  for (let turn = 0; turn < 1000 && log.length < 2; turn += 1) await settle()
  t.match(log, [
    { level: 'info', message: 'key set fetched' },
    { level: 'warn', message: /could not be kept/ }
  ])
  t.equal(await outcome(set, a.kid), 'found')
})

// The set does not wait for the disk, so the test does.
async function written(path: string, goodAt: number): Promise<object | undefined> {
  for (let turn = 0; turn < 1000; turn += 1) {
    const kept = await readFile(path, 'utf8').then(JSON.parse, () => undefined)
    if (kept?.good_at === goodAt) return kept
    await settle()
  }
  return undefined
}
