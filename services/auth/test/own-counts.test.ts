import t from 'tap'
import { OwnCounts } from '../src/limits/own-counts.ts'

const WINDOW = 60_000

/** What a count says when it is asked so often at once. */
function countsOf(counts: OwnCounts, key: string, times = 1): number[] {
  return Array.from({ length: times }, () => counts.count(key, WINDOW)).map(({ current }) => current)
}

t.test('an answer stays as it was while others are counted', async (t) => {
  t.strictSame(countsOf(new OwnCounts(), 'a', 4), [1, 2, 3, 4])
})

t.test('each key has a count of its own', async (t) => {
  const counts = new OwnCounts()
  countsOf(counts, 'a', 3)
  t.strictSame([countsOf(counts, 'b'), countsOf(counts, 'a')], [[1], [4]])
})

t.test('a count begins anew when its window has ended, and says how long that takes', async (t) => {
  const clock = t.capture(performance, 'now', () => now)
  let now = 1000
  const counts = new OwnCounts()
  const told: number[] = []
  const count = (key: string) => {
    const { current, left } = counts.count(key, WINDOW)
    told.push(current, left)
  }
  count('a')
  now += 20_000
  count('b')
  count('a')
  now += 40_000
  count('a')
  count('b')
  t.strictSame(told, [1, 60_000, 1, 60_000, 2, 40_000, 1, 60_000, 2, 20_000])
  clock.restore()
})

t.test('keys without end take no memory without end: the oldest is forgotten', async (t) => {
  const counts = new OwnCounts()
  for (let i = 0; i <= 20_000; i += 1) countsOf(counts, `key ${i}`)
  t.strictSame([countsOf(counts, 'key 20000'), countsOf(counts, 'key 1'), countsOf(counts, 'key 0')], [[2], [2], [1]])
})
