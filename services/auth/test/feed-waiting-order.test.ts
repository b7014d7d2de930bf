// What waits is found by its times as if each was looked at.
import { unavailable } from '@latchkey/problems/problem'
import fc from 'fast-check'
import t from 'tap'
import { dueAt } from '../src/feed/rule.ts'
import { type Question, Waiting } from '../src/feed/waiting.ts'

const PLACES = [null, '1.a', '2.a', '2.b'] as const
const time = fc.integer({ min: 0, max: 50 })
const place = fc.constantFrom(...PLACES)

type Look = { readonly now: number; readonly head: string | undefined }
type Step = { readonly add: Question } | { readonly remove: number } | Look

const head = fc.constantFrom<string | undefined>(undefined, '1.a', '2.a', '2.b')
const client = fc.constantFrom('x', 'y')
const question = fc
  .record({ after: place, earliest: time, more: time, client })
  .map(({ more, ...timing }) => questionOf(timing.after, timing.earliest, timing.earliest + more, timing.client))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: question }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ now: time, head }) }
)

function questionOf(after: string | null, earliest: number, until: number, client: string): Question {
  return { after, earliest, until, client, nonce: '', answer: () => {}, refuse: () => {} }
}

t.test('the questions that are due, and when the next ones are, are those of a plain list', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400, size: 'max' }), (steps) => {
      const waiting = new Waiting()
      const list: Question[] = []
      for (const done of steps) play(waiting, list, done)
    })
  )
  t.pass()
})

function play(waiting: Waiting, list: Question[], done: Step): void {
  if ('now' in done) compare(waiting, list, done)
  else if ('add' in done) {
    waiting.add(done.add)
    list.push(done.add)
  } else remove(waiting, list, done.remove)
}

function remove(waiting: Waiting, list: Question[], number: number): void {
  const [gone] = list.splice(number % (list.length + 1), 1)
  if (!gone) return
  if (!waiting.remove(gone)) throw new Error('it was there')
  if (waiting.remove(gone)) throw new Error('it is gone')
}

function compare(
  waiting: Waiting,
  list: readonly Question[],
  { now, head }: { now: number; head: string | undefined }
) {
  const least = (times: number[]) => Math.min(...times)
  const found = {
    due: waiting.due(now, head),
    earliest: waiting.earliest,
    next: waiting.nextDue(head),
    size: waiting.size,
    ofClient: waiting.crowdOf('x').ofClient
  }
  const expected = {
    due: list.filter((question) => dueAt(question, head) <= now),
    earliest: least(list.map(({ earliest }) => earliest)),
    next: least(list.map((question) => dueAt(question, head))),
    size: list.length,
    ofClient: list.filter(({ client }) => client === 'x').length
  }
  const isSame =
    found.due.length === expected.due.length && found.due.every((question, index) => question === expected.due[index])
  if (!isSame) throw new Error('other questions are due')
  for (const name of ['earliest', 'next', 'size', 'ofClient'] as const) {
    if (found[name] !== expected[name]) throw new Error(`${name}: ${found[name]} instead of ${expected[name]}`)
  }
}

t.test('only questions that were there already are due for a pass that began', async (t) => {
  const waiting = new Waiting()
  const [early, late] = [questionOf(null, 1, 1, 'x'), questionOf(null, 0, 0, 'x')]
  waiting.add(early)
  const { last } = waiting
  waiting.add(late)
  t.strictSame(waiting.due(5, undefined, last), [early])
  t.strictSame(waiting.due(5, undefined), [early, late])
  waiting.refuse(unavailable('over'))
  t.strictSame([waiting.size, waiting.earliest, waiting.nextDue(undefined)], [0, Infinity, Infinity])
})

t.test(
  'a thousand wait: what is next is found in a few microseconds, also beside clients that come and go',
  async (t) => {
    const waiting = new Waiting()
    for (let n = 0; n < 1000; n += 1) waiting.add(questionOf('1.a', 100 + n / 4, 5000 + n, `c${n}`))
    const once = () => {
      const question = questionOf('1.a', 400, 20_000, 'new')
      waiting.add(question)
      const found = [waiting.earliest, waiting.nextDue('1.a'), waiting.due(99, '1.a').length]
      waiting.remove(question)
      return found
    }
    for (let n = 0; n < 20_000; n += 1) once()
    const began = performance.now()
    for (let n = 0; n < 10_000; n += 1) once()
    const each = (performance.now() - began) / 10_000
    t.strictSame(once(), [100, 5000, 0])
    t.comment(`${Math.round(each * 1e6)} ns for each`)
    t.ok(each < 0.05, `${each} ms`)
  }
)
