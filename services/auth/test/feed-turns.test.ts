import { setTimeout as sleep } from 'node:timers/promises'
import { type Problem, unavailable } from '@latchkey/problems/problem'
import { between } from '@latchkey/testing/between'
import type { Revocations } from '@latchkey/tokens/revocations'
import t, { type Test } from 'tap'
import { openFeed } from '../src/feed/feed.ts'
import { seqOf } from '../src/feed/rule.ts'
import { Teller } from '../src/feed/tell.ts'
import type { KeyRing } from '../src/keys/folder.ts'
import type { FeedSource, Page, Pass } from '../src/revocations/source.ts'

const placeOf = (seq: number) => `${seq}.0123456789abcdef`

/** A source whose answers a test plays, and the feed on it. What was done is in `steps`, in its order. */
function play(t: Test, source: Partial<FeedSource> = {}, { waiting = 1000 } = {}) {
  const steps: string[] = []
  const lines: [level: string, text: string][] = []
  const state = { seq: 1, entries: [] as Page['entries'] }
  const closing = new AbortController()
  // The timers of the service keep no process alive.
  const holding = setInterval(() => {}, 1000)
  t.teardown(() => {
    closing.abort()
    clearInterval(holding)
  })
  const note = (level: string) => (fields: { event?: string }, text: string) =>
    lines.push([level, fields.event ?? text])
  const log = { info: (text: string) => lines.push(['info', text]), warn: note('warn'), error: note('error') } as never
  const played: FeedSource = {
    look: async (since) => state.seq !== since,
    pass: async () => passed({ seq: state.seq }),
    known: async (places) => new Set(places.filter((place) => seqOf(place) <= state.seq)),
    page: async (after) => ({ after, to: placeOf(state.seq), more: false, entries: state.entries }),
    ...source
  }
  const told = <K extends keyof FeedSource>(name: K): FeedSource[K] =>
    ((...given: never[]) => {
      steps.push(name)
      return (played[name] as (...given: never[]) => unknown)(...given)
    }) as FeedSource[K]
  const noted: FeedSource = { look: told('look'), pass: told('pass'), known: told('known'), page: told('page') }
  const teller = new Teller({
    source: noted,
    sign: async (claims) => {
      steps.push('sign')
      return Buffer.from(JSON.stringify(claims))
    },
    access: { accepted: new Map([['own-key', {}]]) } as unknown as KeyRing,
    rereadKeys: async () => void steps.push('keys'),
    issuer: 'https://auth.example.com',
    log
  })
  const limits = { waiting, isOpen: false }
  const feed = openFeed({ source: noted, teller, limits, log, closing: closing.signal })
  const ask = (after: string | null, wait = 10_000) =>
    new Promise<Revocations>((resolve, refuse: (problem: Problem) => void) => {
      const answer = (text: Buffer) => resolve(JSON.parse(text.toString()))
      feed.ask({ after, wait, nonce: 'n', client: 'c' }, { answer, refuse })
    })
  return { feed, ask, steps, lines, state }
}

const passed = (own: Partial<Pass>): Pass => ({
  at: Date.now() / 1000,
  seq: 1,
  numbered: 0,
  isFull: false,
  hasKey: false,
  ...own
})

t.test('nobody asks the database while nobody waits, and who waits costs one look each 100 ms', async (t) => {
  const { ask, feed, steps, state } = play(t)
  await sleep(50)
  feed.noticed()
  await sleep(250)
  t.strictSame(steps, [])
  await ask(null)
  steps.length = 0
  const answer = ask(placeOf(1))
  await sleep(550)
  t.strictSame(new Set(steps), new Set(['look']))
  between(t, steps.length, { least: 2, most: 6 })
  state.seq = 2
  t.match(await answer, { to: placeOf(2) })
})

t.test('passes are 100 ms apart, however often this instance itself changes something', async (t) => {
  const begun: number[] = []
  const { ask, feed, state } = play(t, {
    pass: async () => {
      begun.push(performance.now())
      return passed({ seq: state.seq })
    }
  })
  const noticing = setInterval(() => {
    state.seq += 1
    feed.noticed()
  }, 1)
  t.teardown(() => clearInterval(noticing))
  const follow = async (_: unknown, n: number) => {
    await sleep(13 * n)
    for (let i = 0, after: string | null = null; i < 4; i += 1) after = (await ask(after)).to
  }
  await Promise.all(Array.from({ length: 7 }, follow))
  const between = begun.slice(1).map((time, i) => time - (begun[i] ?? 0))
  t.ok(between.length >= 4 && Math.min(...between) >= 99, between.map(Math.round).join())
})

t.test('a question that comes during a pass is answered by the next one', async (t) => {
  let end = () => {}
  const ats: number[] = []
  const { ask } = play(t, {
    pass: async () => {
      const pass = passed({ at: 1000 + ats.length })
      ats.push(pass.at)
      if (ats.length === 1) await new Promise<void>((resolve) => (end = resolve))
      return pass
    }
  })
  const first = ask(null, 0)
  while (ats.length === 0) await sleep(5)
  const second = ask(null, 0)
  await sleep(150)
  end()
  t.equal((await first).complete_at, 1000)
  t.equal((await second).complete_at, 1001)
})

t.test('a pass that is full claims nothing', async (t) => {
  const { ask, state } = play(t, { pass: async () => passed({ seq: state.seq, isFull: true }) })
  t.match(await ask(null, 0), { more: true, complete_at: null, to: placeOf(1) })
})

t.test(
  'a pass that numbers the end of a key, or a page that tells that of ours, has the keys read first',
  async (t) => {
    const numbered = play(t, { pass: async () => passed({ hasKey: true }) })
    await numbered.ask(null, 0)
    t.strictSame(numbered.steps, ['pass', 'keys', 'page', 'sign'])
    for (const [kid, steps] of [
      ['own-key', ['pass', 'page', 'keys', 'sign']],
      ['a-key-of-old', ['pass', 'page', 'sign']]
    ] as const) {
      const told = play(t)
      told.state.entries = [['key', kid, null, null]]
      await told.ask(null, 0)
      t.strictSame(told.steps, steps, kid)
    }
  }
)

t.test(
  'while the database is away who has to be answered gets 503, with one line for all, and then it goes on',
  async (t) => {
    let isAway = false
    const refuse = async () => {
      if (isAway) throw unavailable('the database is away')
    }
    const { ask, lines, state } = play(t, {
      look: async (since) => {
        await refuse()
        return state.seq !== since
      },
      pass: async () => {
        await refuse()
        return passed({ seq: state.seq })
      }
    })
    const { to } = await ask(null)
    isAway = true
    const patient = ask(to)
    for (let i = 0; i < 3; i += 1) await t.rejects(ask(null, 0), { code: 'unavailable', options: { retryAfter: 1 } })
    await t.rejects(ask(to, 200), { code: 'unavailable' }, 'also when its wait is over')
    t.strictSame(lines, [['warn', 'the revocation feed answers 503']])
    isAway = false
    state.seq = 2
    t.match(await patient, { to: placeOf(2) }, 'who has time is answered when it is back')
    while (lines.length < 2) await sleep(5)
    t.strictSame(lines.slice(1), [['info', 'the revocation feed answers again']])
  }
)

t.test('a fault of the program is an error in the log and 503 at who asks', async (t) => {
  const { ask, lines } = play(t, { page: async () => Promise.reject(new TypeError('a fault')) })
  await t.rejects(ask(null, 0), { code: 'unavailable' })
  t.strictSame(lines, [['error', 'failed']])
})

t.test('a place that was given and is gone is an error in the log, once, and is told from the beginning', async (t) => {
  const { ask, lines, state } = play(t, {
    page: async (after) => ({ after, to: placeOf(state.seq), more: false, entries: [] })
  })
  state.seq = 7
  const { to } = await ask(null)
  state.seq = 3
  t.match(await ask(to, 200), { after: null, to: placeOf(3) })
  t.match(await ask(to, 200), { after: null, to: placeOf(3) })
  t.strictSame(lines, [['error', 'feed_lost']])
  t.match(await ask(placeOf(3), 0), { after: placeOf(3) })
})

t.test(
  'a place below the head that the sweep deleted is told from the beginning, without a line in the log',
  async (t) => {
    const { ask, lines, state } = play(t, {
      known: async () => new Set(),
      page: async () => ({ after: null, to: placeOf(state.seq), more: false, entries: [] })
    })
    state.seq = 7
    const { to } = await ask(null)
    state.seq = 9
    t.match(await ask(to, 200), { after: null, to: placeOf(9) })
    t.strictSame(lines, [])
  }
)

t.test('a place whose number another row has is an error in the log, also below the head', async (t) => {
  const { ask, lines, state } = play(t, {
    known: async () => new Set(['7.fedcba9876543210']),
    page: async () => ({ after: null, to: placeOf(state.seq), more: false, entries: [] })
  })
  state.seq = 7
  const { to } = await ask(null)
  state.seq = 9
  t.match(await ask(to, 200), { after: null, to: placeOf(9) })
  t.strictSame(lines, [['error', 'feed_lost']])
})
