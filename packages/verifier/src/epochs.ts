import type { AccessClaims } from '@latchkey/tokens/claims'
import { BoundedMap } from './bounded-map.ts'
import type { VerificationKey } from './jwk.ts'

interface Highest {
  readonly epoch: number
  /** The key that signed it. */
  readonly key: VerificationKey
  /** Seconds since 1970. */
  until: number
}

/**
 * Remembers the highest `epoch` of each subject, so a token from before a password change is refused once a later one
 * was seen here.
 *
 * An epoch counts until its token expires, because all earlier ones have expired then, and while its key counts: a
 * stolen key that claims a far future epoch locks nobody out once it is withdrawn or revoked. Surely remembered are
 * the `limit` subjects whose epochs rose last, and at most twice as many; earlier tokens of others are accepted again until
 * they expire. Epoch
 * 0 is not remembered, because it refuses nothing.
 */
export class HighestEpochs {
  readonly #highest: BoundedMap<string, Highest>
  readonly #leeway: number
  readonly #counts: (key: VerificationKey) => boolean

  constructor(options: { limit: number; leeway: number; counts: (key: VerificationKey) => boolean }) {
    this.#highest = new BoundedMap(options.limit)
    this.#leeway = options.leeway
    this.#counts = options.counts
  }

  /**
   * Tells how a token's epoch stands to the highest one of its subject, and changes nothing: `now` is in seconds since 1970.
   *
   * - `lower`: refuse it.
   * - `known`: there is nothing to remember.
   * - `new`: call `remember` if the token is accepted in the end.
   */
  standing({ sub, epoch, exp }: AccessClaims, now: number): 'lower' | 'known' | 'new' {
    const known = this.#counting(sub, now)
    if (!known) return epoch > 0 ? 'new' : 'known'
    if (epoch !== known.epoch) return epoch > known.epoch ? 'new' : 'lower'
    return exp + this.#leeway > known.until ? 'new' : 'known'
  }

  /** Remembers the epoch of a token that was accepted: nothing else may raise it. `now` is in seconds since 1970. */
  remember({ sub, epoch, exp }: AccessClaims, key: VerificationKey, now: number): void {
    const known = this.#counting(sub, now)
    const until = exp + this.#leeway
    if (!known || epoch > known.epoch) this.#highest.set(sub, { epoch, key, until })
    else if (epoch === known.epoch) known.until = Math.max(known.until, until)
  }

  #counting(sub: string, now: number): Highest | undefined {
    const known = this.#highest.get(sub)
    return known && now < known.until && this.#counts(known.key) ? known : undefined
  }
}
