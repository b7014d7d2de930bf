import type { Clock } from './clock.ts'
import type { FetchTimes } from './fetch-policy.ts'
import type { FirstKeyFiles } from './first-keys.ts'
import type { KeySetLog } from './key-set.ts'

/** The options of a `RemoteKeySet`. */
export interface RemoteKeySetOptions extends FirstKeyFiles, FetchTimes {
  /** The issuer's JWK set. Whoever answers there decides which tokens are valid, so use TLS or one host. */
  readonly url: string
  /** Longest time for the whole answer of the issuer, in seconds. 3. */
  readonly timeout?: number
  /** Gets each fetch, failure and skipped key. None. */
  readonly log?: KeySetLog
  /** The network, as a parameter for tests. The global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** The clock, as a parameter for tests. The system's. */
  readonly clock?: Clock
}
