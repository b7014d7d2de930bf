import type { Problem } from '@latchkey/problems/problem'
import fc from 'fast-check'
import t from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import { RemoteKeySet } from '../src/remote-key-set.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { FakeIssuer, URL } from './fake-issuer.ts'
import { OUTAGES } from './outages.ts'

const keys = await Promise.all([makeKey(), makeKey(), makeKey()])
const MAX_AGE = 600
const STALE_AGE = 1800
const COOLDOWN = 5
const TIMEOUT = 3
const LONGEST_BACKOFF = 15
const MAX_WAITING = 100
/** Times are compared in seconds that were counted in milliseconds. */
const ROUNDING = 0.002

type Step =
  | { do: 'pass'; seconds: number }
  | { do: 'publish'; which: number[]; maxAge: number }
  | { do: 'fail'; how: string }
  | { do: 'ask'; which: number }
  | { do: 'flood'; count: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(0.1, 0.9, 2, 5, 14, 60, 300, 2000) }),
  fc.record({
    do: fc.constant('publish' as const),
    which: fc.uniqueArray(fc.nat(2), { minLength: 1 }),
    maxAge: fc.constantFrom(0, 60, 300, 86_400)
  }),
  fc.record({ do: fc.constant('fail' as const), how: fc.constantFrom(...Object.keys(OUTAGES)) }),
  fc.record({ do: fc.constant('ask' as const), which: fc.nat(2) }),
  fc.record({ do: fc.constant('flood' as const), count: fc.constantFrom(1, 50, 300) })
)

/** What is known from outside: the fetches as the issuer saw them, and the set that the last good one brought. */
interface Known {
  readonly fetches: { began: number; ended?: number; good?: boolean }[]
  kids: ReadonlySet<string>
  goodAt: number
}

// Some is checked in callbacks, where an exception would be nobody's.
type Expect = (holds: boolean, what: string) => void

/** 200, 401 and 503. */
type Outcome = 'found' | 'unknown' | 'unavailable'

/** One request for a key, and how it ended. */
interface Asked {
  readonly at: number
  ended?: number
}

/** Plays a story, checks at every moment of it what has to hold, and tells what did not. */
async function play(steps: readonly Step[], jitter: number): Promise<string[]> {
  const broken: string[] = []
  const expect: Expect = (holds, what) => {
    if (!holds) broken.push(what)
  }
  const clock = new FakeClock()
  clock.jitter = jitter
  const issuer = new FakeIssuer(clock)
  const known: Known = { fetches: [], kids: new Set(), goodAt: Number.NEGATIVE_INFINITY }
  const now = () => clock.elapsed() / 1000
  let listed: string[] = []

  const set = await RemoteKeySet.open({
    url: URL,
    clock,
    staleAge: STALE_AGE,
    fetch: (...request) => {
      const last = known.fetches.at(-1)
      if (last && last.ended === undefined) throw new Error('two fetches at a time')
      known.fetches.push({ began: now() })
      return issuer.fetch(...request)
    },
    log: { info: () => end(true), warn: (_details, message) => /^key set not fetched/.test(message) && end(false) }
  })

  function end(good: boolean): void {
    const last = known.fetches.at(-1)
    if (!last) throw new Error('a fetch ended that never began')
    Object.assign(last, { ended: now(), good })
    if (good) Object.assign(known, { kids: new Set(listed), goodAt: last.began })
  }

  const asked: Asked[] = []
  const lastEnded = () => known.fetches.filter(({ ended }) => ended !== undefined).at(-1)
  const stale = () => now() >= known.goodAt + STALE_AGE
  function ask(kid: string): void {
    const it: Asked = { at: now() }
    const crowded = asked.filter(({ ended }) => ended === undefined).length >= MAX_WAITING
    asked.push(it)
    const heldAtOnce = known.kids.has(kid) && !stale()
    const justified: Record<Outcome, () => boolean> = {
      found: () => known.kids.has(kid) && !stale(),
      // Of a fetch that ended since it was asked for: a key may have been published a moment ago.
      unknown: () =>
        !known.kids.has(kid) && lastEnded()?.good === true && (crowded || Number(lastEnded()?.ended) >= it.at),
      unavailable: () => stale() || lastEnded()?.good !== true
    }
    const check = (outcome: Outcome) => {
      it.ended = now()
      if (heldAtOnce) expect(outcome === 'found' && it.ended === it.at, 'a key that is held is found at once')
      expect(justified[outcome](), `${outcome} has a reason`)
    }
    set.find(kid).then(
      (key) => check(key ? 'found' : 'unknown'),
      (error: Problem) => {
        check('unavailable')
        const wait = Number(error.options.retryAfter)
        expect(wait >= 0 && wait <= LONGEST_BACKOFF, 'the time to come again is near')
      }
    )
  }

  const ACTIONS: { [K in Step['do']]: (step: Extract<Step, { do: K }>) => Promise<void> | void } = {
    pass: ({ seconds }) => clock.pass(seconds),
    publish: ({ which, maxAge }) => {
      const jwks = which.flatMap((i) => keys[i]?.jwk ?? [])
      issuer.answers(() => {
        listed = jwks.map(({ kid }) => kid)
        return Response.json({ keys: jwks }, { headers: { 'cache-control': `max-age=${maxAge}` } })
      })
    },
    fail: ({ how }) => OUTAGES[how]?.(issuer),
    ask: ({ which }) => ask(keys[which]?.kid ?? ''),
    flood: ({ count }) => {
      for (let i = 0; i < count; i += 1) ask(`random-${asked.length}`)
    }
  }

  try {
    await settle()
    for (const step of steps) {
      await (ACTIONS[step.do] as (step: Step) => Promise<void> | void)(step)
      await settle()
      const { state, kids, failures } = set.status()
      expect(same(kids, stale() ? [] : [...known.kids]), 'the set is that of the last good fetch, whole, until stale')
      expect((state === 'empty') === stale(), 'it is empty when stale')
      expect(failures === failuresOf(known), 'it counts its failures')
    }
    await clock.pass(COOLDOWN + TIMEOUT)
    for (const { at, ended } of asked)
      expect(ended !== undefined && ended - at <= COOLDOWN + TIMEOUT, 'nobody waits long')
    checkRhythm(known, expect)
  } finally {
    set.close()
  }
  return broken
}

/** The issuer is asked no more often than agreed: by the schedule, once a cooldown, or after a back-off. */
function checkRhythm({ fetches }: Known, expect: Expect): void {
  let failures = 0
  for (const [i, { began, ended = 0, good }] of fetches.entries()) {
    failures = good ? 0 : failures + 1
    const next = fetches[i + 1]
    if (!next) continue
    const least = Math.min(LONGEST_BACKOFF, 2 ** (failures - 1)) / 2
    if (good) expect(next.began - began >= COOLDOWN - ROUNDING, 'a cooldown after a good fetch')
    else expect(next.began - ended >= least - ROUNDING, 'a back-off after a failed one')
    if (good) expect(next.began - began <= 0.9 * MAX_AGE + ROUNDING, 'a set is renewed ahead of its age')
    else expect(next.began - ended <= LONGEST_BACKOFF + ROUNDING, 'an outage is noticed to be over')
  }
}

function failuresOf({ fetches }: Known): number {
  const ended = fetches.filter((fetch) => fetch.ended !== undefined)
  return ended.length - 1 - ended.findLastIndex(({ good }) => good)
}

const same = (a: readonly string[], b: readonly string[]) => String([...a].sort()) === String([...b].sort())

t.test('whatever issuer and requests do, and in whatever order, the policy holds', async () => {
  const jitter = fc.double({ min: 0, max: 0.999, noNaN: true })
  const story = fc.asyncProperty(fc.array(step, { maxLength: 40 }), jitter, async (steps, jitter) => {
    const broken = await play(steps, jitter)
    if (broken.length > 0) throw new Error(broken.join(', '))
  })
  await fc.assert(story, { numRuns: 150, interruptAfterTimeLimit: 20_000 })
})
