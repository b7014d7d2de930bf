import t from 'tap'
import { OwnCounts } from '../src/limits/own-counts.ts'

const WINDOW = 60_000

/** What a count says when it is asked so often at once. */
function countsOf(store: OwnCounts, key: string, times = 1): number[] {
  const results: { current: number }[] = []
  for (let i = 0; i < times; i += 1) store.incr(key, (_error, result) => results.push(result), WINDOW)
  return results.map(({ current }) => current)
}

t.test('an answer stays as it was while others are counted', async (t) => {
  t.strictSame(countsOf(new OwnCounts(), 'a', 4), [1, 2, 3, 4])
})

t.test('each key has a count of its own', async (t) => {
  const store = new OwnCounts()
  countsOf(store, 'a', 3)
  t.strictSame([countsOf(store, 'b'), countsOf(store, 'a')], [[1], [4]])
})

t.test('a count begins anew when its window has ended, and says how long that takes', async (t) => {
  const clock = t.capture(performance, 'now', () => now)
  let now = 1000
  const store = new OwnCounts()
  const left: number[] = []
  const count = (key: string) => store.incr(key, (_error, { current, ttl }) => left.push(current, ttl), WINDOW)
  count('a')
  now += 20_000
  count('b')
  count('a')
  now += 40_000
  count('a')
  count('b')
  t.strictSame(left, [1, 60_000, 1, 60_000, 2, 40_000, 1, 60_000, 2, 20_000])
  clock.restore()
})

t.test('keys without end take no memory without end: the oldest is forgotten', async (t) => {
  const store = new OwnCounts()
  for (let i = 0; i <= 20_000; i += 1) countsOf(store, `key ${i}`)
  t.strictSame([countsOf(store, 'key 20000'), countsOf(store, 'key 1'), countsOf(store, 'key 0')], [[2], [2], [1]])
})
