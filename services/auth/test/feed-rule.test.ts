import { between } from '@latchkey/testing/between'
import t from 'tap'
import { admit, dueAt, groupsOf, seqOf, timesOf } from '../src/feed/rule.ts'

t.test('who may wait, who is answered by the next turn, and who is refused', async (t) => {
  const limits = { waiting: 100, isOpen: true }
  const table: [waiting: number, ofClient: number, isOpen: boolean, place: string][] = [
    [0, 0, true, 'wait'],
    [99, 19, true, 'wait'],
    [99, 20, true, 'next'],
    [99, 20, false, 'wait'],
    [99, 24, false, 'wait'],
    [99, 25, false, 'next'],
    [199, 49, false, 'next'],
    [199, 50, false, 'client'],
    [99, 39, true, 'next'],
    [99, 40, true, 'client'],
    [100, 0, true, 'next'],
    [100, 49, false, 'next'],
    [199, 0, true, 'next'],
    [200, 0, true, 'all'],
    [200, 40, true, 'all'],
    [200, 200, false, 'all']
  ]
  for (const [waiting, ofClient, isOpen, place] of table) {
    t.equal(admit({ waiting, ofClient }, { ...limits, isOpen }), place, `${waiting} ${ofClient} ${isOpen}`)
  }
  t.equal(
    admit({ waiting: 2, ofClient: 2 }, { waiting: 3, isOpen: false }),
    'wait',
    'of few places a client may have all'
  )
})

t.test('a receiver is told at most every 100 ms and 0.25 ms for each that waits', async (t) => {
  t.strictSame(timesOf({ wait: 5000, waiting: 0, now: 1000 }), { earliest: 1100, until: 6000 })
  t.strictSame(timesOf({ wait: 5000, waiting: 1000, now: 1000 }), { earliest: 1350, until: 6000 })
  t.strictSame(timesOf({ wait: 0, waiting: 1000, now: 1000 }), { earliest: 1350, until: 1350 })
})

t.test('a question at the end of the feed waits, every other is answered as soon as it may be', async (t) => {
  const times = { earliest: 1100, until: 6000 }
  for (const [after, head, due] of [
    ['7.a', '7.a', 6000],
    ['6.a', '7.a', 1100],
    ['7.b', '7.a', 1100],
    ['8.a', '7.a', 1100],
    [null, '7.a', 1100],
    ['7.a', undefined, 1100]
  ] as const) {
    t.equal(dueAt({ after, ...times }, head), due, `${after} of ${head}`)
  }
})

t.test('equal questions share a text, up to 64; a turn has 100 texts, for the oldest questions', async (t) => {
  const ask = (after: string | null, n: number) => ({ after, earliest: 0, until: 0, n })
  const equal = Array.from({ length: 130 }, (_, n) => ask('7.a', n))
  const groups = groupsOf([ask(null, -2), ...equal, ask('unknown', -1)], new Set(['7.a']))
  t.strictSame(
    groups.map(({ after, questions }) => [after, questions.length, questions[0]?.n]),
    [
      [null, 2, -2],
      ['7.a', 64, 0],
      ['7.a', 64, 64],
      ['7.a', 2, 128]
    ],
    'a place that the feed does not have is the beginning'
  )
  const places = Array.from({ length: 150 }, (_, n) => `${n}.a`)
  const most = groupsOf([...places.map(ask), ask('0.a', 150)], new Set(places))
  t.equal(most.length, 100)
  t.strictSame(
    most.map(({ after }) => after),
    places.slice(0, 100)
  )
  t.equal(most[0]?.questions.length, 2, 'a text that is there anyway answers a late one too')
})

t.test('the number of a place', async (t) => {
  for (const [place, seq] of [
    ['7.0123456789abcdef', 7],
    ['0.0123456789abcdef', 0],
    ['9999999999999999.0123456789abcdef', 1e16],
    [null, 0],
    [undefined, 0]
  ] as const) {
    between(t, seqOf(place), { least: seq, most: seq }, String(place))
  }
})
