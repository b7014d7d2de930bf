// Three minutes of a receiver, many times, with the real code and a network that a seed decides: cuts, delays, lost, old and
// half answers, wall clocks that step, restarts.
import t from 'tap'
import type { WhenCut } from '../src/feed/freshness.ts'
import { playHistory } from './feed-histories.ts'

const HISTORIES = Number(process.env['FEED_HISTORIES'] ?? 60)
const FIRST = Number(process.env['FEED_FIRST_SEED'] ?? Math.floor(Math.random() * 1e9))

for (const whenCut of ['refuse', 'recent', 'accept'] satisfies WhenCut[]) {
  for (const bound of [5, 60]) {
    t.test(`no promise is broken: ${whenCut}, bound ${bound} s`, async (t) => {
      for (let seed = FIRST; seed < FIRST + HISTORIES / 6; seed += 1) {
        const { faults, checks } = await playHistory(seed, whenCut, bound)
        t.ok(checks > 0)
        t.same(faults, [], `seed ${seed}: FEED_FIRST_SEED=${seed} FEED_HISTORIES=6 plays it again`)
      }
    })
  }
}
