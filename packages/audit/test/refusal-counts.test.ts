import { between } from '@latchkey/testing/between'
import t from 'tap'
import { BOUNDS } from '../src/refusal-bounds.ts'
import { type ClientRefused, RefusalCounts } from '../src/refusal-counts.ts'
import { refusedLogin } from './refused.ts'

const MINUTE = 60_000
const ADA = '00000000-0000-4000-8000-000000000001'
const EVE = '00000000-0000-4000-8000-000000000002'
const S1 = '00000000-0000-4000-8000-00000000000a'
const S2 = '00000000-0000-4000-8000-00000000000b'

const again: [name: string, own: Partial<ClientRefused>, isSame: boolean][] = [
  ['another request', { source: { requestId: 'another', ip: '192.0.2.1', userAgent: 'another' } }, true],
  ['another event', { event: 'signup' }, false],
  ['another code', { code: 'account_disabled' }, false],
  ['another outcome', { outcome: 'failed' }, false],
  ['another client', { client: '192.0.2.2' }, false],
  ['another actor', { actor: { kind: 'user', id: EVE, session: S1 } }, false],
  ['another session of the actor', { actor: { kind: 'user', id: ADA, session: S2 } }, false],
  ['the actor as an administrator', { actor: { kind: 'admin', id: ADA, session: S1 } }, false],
  ['another target', { target: { kind: 'user', id: EVE } }, false],
  ['another account', { account: EVE }, false],
  ['another route', { route: 'GET /me' }, false],
  ['a change that may have been made', { unless: S1 }, false]
]

for (const [name, own, isSame] of again) {
  t.test(`after a refusal ${name} is ${isSame ? 'the same again' : 'another refusal'}`, async (t) => {
    const counts = new RefusalCounts(0)
    const first = refusedLogin('192.0.2.1', {
      actor: { kind: 'user', id: ADA, session: S1 },
      target: { kind: 'user', id: ADA },
      account: ADA
    })
    t.equal(counts.add(first, 0), true)
    t.equal(counts.add({ ...first, ...own }, 1), !isSame)
    const repeated = counts.takeRepeated(MINUTE)
    t.strictSame(repeated, isSame ? [{ refused: first, repeated: 1 }] : [])
    t.equal(counts.takeLeftOut(), 0)
  })
}

t.test('a window begins with its first refusal, and the one after it begins another', async (t) => {
  const counts = new RefusalCounts(0)
  const refused = refusedLogin('192.0.2.1')
  t.strictSame(
    [0, 1, MINUTE - 1].map((now) => counts.add(refused, now)),
    [true, false, false]
  )
  t.equal(counts.nextEnd, MINUTE)
  t.strictSame(counts.takeRepeated(MINUTE - 1), [])
  t.strictSame(counts.takeRepeated(MINUTE), [{ refused, repeated: 2 }])
  t.equal(counts.nextEnd, Number.POSITIVE_INFINITY)
  t.equal(counts.add(refused, MINUTE), true)
  t.strictSame(counts.takeRepeated(MINUTE + 1, true), [], 'it came once')
})

t.test('a refusal after the end of its window, before the count is taken, is written and counted once', async (t) => {
  const counts = new RefusalCounts(0)
  const refused = refusedLogin('192.0.2.1')
  counts.add(refused, 0)
  counts.add(refused, 1)
  t.equal(counts.add(refused, MINUTE), true)
  t.strictSame(counts.takeRepeated(MINUTE), [{ refused, repeated: 1 }])
})

t.test('no refusal gets lost: each is written, counted, or left out', async (t) => {
  const counts = new RefusalCounts(0)
  let [written, repeated, all] = [0, 0, 0]
  for (let now = 0; now < 10 * MINUTE; now += 7) {
    all += 1
    if (counts.add(refusedLogin(`192.0.2.${all % 97}`, { code: `code ${all % 61}` }), now)) written += 1
    for (const one of counts.takeRepeated(now)) repeated += one.repeated
  }
  for (const one of counts.takeRepeated(10 * MINUTE, true)) repeated += one.repeated
  t.equal(written + repeated + counts.takeLeftOut(), all)
  t.equal(counts.size, 0)
})

t.test('one client leaves most of the bucket to the others', async (t) => {
  const counts = new RefusalCounts(0)
  const many = Array.from({ length: 5000 }, (_, i) => counts.add(refusedLogin('192.0.2.1', { code: `code ${i}` }), i))
  t.equal(many.filter(Boolean).length, BOUNDS.perClient)
  t.equal(counts.takeLeftOut(), 5000 - BOUNDS.perClient)
  t.equal(counts.add(refusedLogin('192.0.2.2'), 5000), true)
  t.equal(counts.add(refusedLogin('192.0.2.1', { code: 'later' }), MINUTE), true, 'and has another share later')
})

t.test('a flood of many clients gets the bucket and what fills it, and no more memory than that', async (t) => {
  const counts = new RefusalCounts(0)
  const before = process.memoryUsage().heapUsed
  const began = performance.now()
  const [all, minutes] = [100_000, 10]
  let records = 0
  let most = 0
  for (let i = 0; i < all; i += 1) {
    const now = (i / all) * minutes * MINUTE
    // Each twice, so that there is something to count.
    if (counts.add(refusedLogin(`2001:db8:0:${(i >> 1).toString(16)}::`), now)) records += 1
    records += counts.takeRepeated(now).length
    most = Math.max(most, counts.size)
  }
  const took = performance.now() - began
  t.comment(
    `${records} records of ${all}, most counted ${most}, ${Math.round(took)} ms, ${Math.round((process.memoryUsage().heapUsed - before) / 1024)} KiB`
  )
  between(t, records, { least: BOUNDS.burst, most: BOUNDS.burst + BOUNDS.perSecond * 60 * minutes + 1 })
  between(t, most, { least: 1, most: BOUNDS.burst + BOUNDS.perSecond * 60 + 1 })
})
