import { Problem, unavailable } from '@latchkey/problems/problem'
import type { Clock } from '../clock.ts'
import type { Mark } from './mark.ts'
import { Receiver } from './receiver.ts'
import type { FeedSettings } from './settings.ts'
import type { FeedListener, FeedOwner, FeedStatus } from './status.ts'

/** The revocation feed of an issuer: the result of `openFeed`. A verifier refuses by it tokens that ended before they expire. */
export interface RevocationFeed {
  /** The state, for metrics and logs. */
  status(): FeedStatus
  /** Says why good tokens are refused now, or nothing; for readiness. With `whenCut: 'accept'` it never does. */
  unready(): string | undefined
  /**
   * Ends the questions. What is known stays, and is cut when the bound is over.
   *
   * Resolves when the cache file has all that is known, after two seconds at most; it never rejects.
   */
  close(): Promise<void>
}

/** A feed, as its verifier uses it. */
export class Feed implements RevocationFeed {
  readonly #settings: FeedSettings
  #receiver: Receiver | undefined
  #isClosed = false

  constructor(settings: FeedSettings) {
    this.#settings = settings
  }

  /** The clock of its timers. */
  get clock(): Clock {
    return this.#settings.clock
  }

  status(): FeedStatus {
    return this.#receiver?.status() ?? { state: 'starting', entries: 0, received: 0, failures: 0 }
  }

  unready(): string | undefined {
    const { state } = this.status()
    if (state === 'current' || this.#settings.whenCut === 'accept') return undefined
    return state === 'starting' ? 'the revocation feed was not read yet' : 'the revocation feed is cut'
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#receiver?.close()
  }

  /** Starts the questions, for the verifier with this issuer, audience and keys. Throws if it has one already. */
  start(owner: FeedOwner, listener: FeedListener): void {
    if (this.#receiver) throw new TypeError('revocations belongs to another verifier: open a feed for each.')
    this.#receiver = new Receiver(this.#settings, owner, listener)
    if (!this.#isClosed) void this.#receiver.run()
  }

  /** Throws `invalid_token` if an entry names the token. A mark is looked up only after a change. */
  checkEntries(mark: Mark): void {
    const { known } = this.#started.reading
    if (mark.checked === known.changes) return
    if (known.refuses(mark)) throw refused('it ended')
    mark.checked = known.changes
  }

  /** Throws `invalid_token` if the token's key is revoked; `unavailable` or `token_expired` if the feed is not current. */
  checkState({ kid, iat }: Mark): void {
    const { freshness, steady } = this.#started
    if (this.hasRevoked(kid)) throw refused('its key was revoked')
    if (this.#settings.whenCut === 'accept') return
    const standing = freshness.standing(steady.now(), iat)
    if (standing === 'unavailable') throw unavailable('the revocation feed is not current')
    if (standing === 'token_expired') throw new Problem(standing, { reason: 'the revocation feed is cut' })
  }

  /** Whether the feed revokes a key of this id. */
  hasRevoked(kid: string): boolean {
    const { reading } = this.#started
    return reading.known.keys.size > 0 && reading.isRevoked(kid)
  }

  get #started(): Receiver {
    if (!this.#receiver) throw new TypeError('the feed has no verifier')
    return this.#receiver
  }
}

function refused(reason: string): Problem {
  return new Problem('invalid_token', { reason: `the revocation feed says that ${reason}` })
}
