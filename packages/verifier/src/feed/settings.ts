import type { KeySetLog } from '../key-set.ts'
import type { WhenCut } from './freshness.ts'
import type { FeedClock } from './steady-clock.ts'

/** The checked options of a feed; `bound` is in seconds. */
export interface FeedSettings {
  readonly url: string
  readonly whenCut: WhenCut
  readonly bound: number
  readonly maxEntries: number
  readonly cacheFile?: string
  readonly log: KeySetLog
  readonly fetch: typeof globalThis.fetch
  readonly clock: FeedClock
  /** The headers of a question of a service with this name. */
  headers(audience: string): Readonly<Record<string, string>>
}
