import t from 'tap'
import type { WhenCut } from '../src/feed/freshness.ts'
import { playHistory } from './feed-histories.ts'

/**
 * Plays so many histories, a third for each `whenCut`. FEED_HISTORIES is another number of them, FEED_FIRST_SEED the first seed; it is
 * random otherwise.
 */
export function playHistories(usual: number): void {
  const histories = Number(process.env['FEED_HISTORIES'] ?? usual)
  const first = Number(process.env['FEED_FIRST_SEED'] ?? Math.floor(Math.random() * 1e9))
  for (const whenCut of ['refuse', 'recent', 'accept'] satisfies WhenCut[]) {
    t.test(`no promise is broken: ${whenCut}, bounds 5 s and 60 s`, async (t) => {
      let checks = 0
      let cutSeconds = 0
      for (let seed = first; seed < first + histories / 3; seed += 1) {
        const found = await playHistory(seed, whenCut, [5, 60])
        checks += found.checks
        cutSeconds += found.cutSeconds
        if (found.faults.length === 0) continue
        t.same(found.faults, [], `seed ${seed}: FEED_FIRST_SEED=${seed} FEED_HISTORIES=3 plays it again`)
      }
      t.ok(checks > histories)
      t.ok(cutSeconds > 0)
      t.comment(`${Math.ceil(histories / 3)} histories from seed ${first}: ${checks} checks, cut for ${cutSeconds} s`)
    })
  }
}
