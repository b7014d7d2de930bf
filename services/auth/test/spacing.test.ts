import { between } from '@latchkey/testing/between'
import t from 'tap'
import { Spacing } from '../src/limits/spacing.ts'

t.test('whoever is refused now and then hears so at once', async (t) => {
  const spacing = new Spacing()
  t.strictSame(
    [0, 10, 3000, 3010].map((now) => spacing.holdOf(['a'], now)),
    [0, 0, 0, 0]
  )
})

t.test('what one client asks at once is refused every ten milliseconds, others beside it', async (t) => {
  const spacing = new Spacing()
  t.strictSame(
    Array.from({ length: 5 }, () => spacing.holdOf(['a'], 1000)),
    [0, 10, 20, 30, 40]
  )
  t.strictSame([spacing.holdOf(['b'], 1000), spacing.holdOf(['a'], 1045)], [0, 5])
})

t.test('a user is one client, from however many addresses', async (t) => {
  const spacing = new Spacing()
  t.strictSame(
    ['a', 'b', 'c'].map((address) => spacing.holdOf([address, 'eve'], 1000)),
    [0, 10, 20]
  )
  t.strictSame(
    [spacing.holdOf(['d'], 1000), spacing.holdOf(['d', 'ada'], 1000), spacing.holdOf(['ada'], 1000)],
    [0, 10, 20]
  )
})

t.test('no refusal is held for longer than half a second', async (t) => {
  const spacing = new Spacing()
  const holds = Array.from({ length: 1000 }, (_, i) => spacing.holdOf(['a'], i))
  t.equal(Math.max(...holds), 500)
  t.equal(spacing.holdOf(['a'], 2000), 0, 'and soon after, it hears at once again')
})

t.test('whoever asks at once for more than half a second of refusals gets the others all then', async (t) => {
  const spacing = new Spacing()
  const holds = Array.from({ length: 100 }, () => spacing.holdOf(['a'], 1000))
  t.strictSame(
    [holds.slice(0, 3), holds.slice(49)],
    [
      [0, 10, 20],
      [490, ...Array(50).fill(500)]
    ]
  )
})

t.test('of those who may be refused at once again, nothing is kept', async (t) => {
  const spacing = new Spacing()
  for (let i = 0; i < 30_000; i += 1) spacing.holdOf([`client ${i}`], i)
  between(t, spacing.size, { most: 10_001 })
})
