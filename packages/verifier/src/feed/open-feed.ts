import { randomBytes } from 'node:crypto'
import { type KeySetLog, requireLog, SILENCE } from '../key-set.ts'
import { requireFunctions, requireHttpUrl, requireNumbers, requireObject, requireTexts, YEAR } from '../options.ts'
import { Feed, type RevocationFeed } from './feed.ts'
import type { WhenCut } from './freshness.ts'
import { type FeedClock, SYSTEM_FEED_CLOCK } from './steady-clock.ts'

/** The options of a revocation feed. */
export interface FeedOptions {
  /** The `revocations_endpoint` of the issuer. Use TLS, or one host: whoever reads along learns the `token`. */
  readonly url: string
  /**
   * What happens to tokens that the feed does not name while it is cut, or before its first answer. It has no default: it is
   * your choice between refusing good tokens and accepting revoked ones.
   *
   * - `refuse`: refuse all, with 503 `unavailable`.
   * - `recent`: accept those that were issued within the bound; others are 401 `token_expired`. `refuse` at the start.
   * - `accept`: accept all.
   */
  readonly whenCut: WhenCut
  /** FEED_TOKEN of the auth service, where the feed is not open. None. */
  readonly token?: string
  /** After how many seconds without a complete answer the feed is cut, at least 3. 60. */
  readonly bound?: number
  /** A file that keeps what is known over a restart: await `close`, for a process that is killed may forget the last seconds. None. */
  readonly cacheFile?: string
  /** Most entries, about 56 bytes each; if there are more, the feed counts as cut. 1,000,000. */
  readonly maxEntries?: number
  /** Gets each change of the state, and once a minute that the feed is not current. None. */
  readonly log?: KeySetLog
  /** The network, as a parameter for tests. The global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** The clock, as a parameter for tests. The system's. */
  readonly clock?: FeedClock
}

/** A typed array has at most so many entries for which a table has room. */
const MOST_ENTRIES = 100_000_000

const NO_CHOICE = `whenCut must be one of these; it has no default:
'refuse': while the feed is cut, every token is refused (503).
'recent': while the feed is cut, only tokens that were issued within the bound are accepted.
'accept': while the feed is cut, tokens are accepted as without a feed, revoked ones too.`

/**
 * Opens the revocation feed of an issuer, for one verifier: the option `revocations` of `createVerifier`, which starts it.
 *
 * Throws a TypeError on an invalid option. `close` ends it; until then its connection keeps the process alive.
 */
export function openFeed(options: FeedOptions): RevocationFeed {
  requireObject(options)
  const { url, whenCut, token, bound = 60, cacheFile, maxEntries = 1_000_000, log = SILENCE } = options
  const { fetch = globalThis.fetch, clock = SYSTEM_FEED_CLOCK } = options
  requireHttpUrl(url)
  if (!['refuse', 'recent', 'accept'].includes(whenCut)) throw new TypeError(NO_CHOICE)
  requireNumbers({ bound: [bound, 3, YEAR], maxEntries: [maxEntries, 1, MOST_ENTRIES] })
  requireTexts({ ...(token !== undefined && { token }), ...(cacheFile !== undefined && { cacheFile }) })
  if (token !== undefined && !/^[!-~]+$/.test(token)) throw new TypeError('token must be visible ASCII characters.')
  requireFunctions({ fetch })
  requireLog(log)
  const process = randomBytes(4).toString('hex')
  return new Feed({
    url,
    whenCut,
    bound,
    maxEntries,
    ...(cacheFile !== undefined && { cacheFile }),
    log,
    fetch,
    clock,
    headers: (audience) => ({
      accept: 'application/jwt',
      // A name may have any characters, a header may not.
      'user-agent': `latchkey-verifier (${audience.replace(/[^ -'*-:<-~]/g, '?')}; ${process})`,
      ...(token !== undefined && { authorization: `Bearer ${token}` })
    })
  })
}
