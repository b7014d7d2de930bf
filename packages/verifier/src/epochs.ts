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
 * An epoch counts until its token expires, because all earlier ones have expired then, and while its key is held: a
 * stolen key that claims a far future epoch locks nobody out after its withdrawal. Surely remembered are
 * the `limit` subjects whose epochs rose last, and at most twice as many; earlier tokens of others are accepted again until
 * they expire. Epoch
 * 0 is not remembered, because it refuses nothing.
 */
export class HighestEpochs {
  readonly #highest: BoundedMap<string, Highest>
  readonly #leeway: number
  readonly #isHeld: (key: VerificationKey) => boolean

  constructor(options: { limit: number; leeway: number; isHeld: (key: VerificationKey) => boolean }) {
    this.#highest = new BoundedMap(options.limit)
    this.#leeway = options.leeway
    this.#isHeld = options.isHeld
  }

  /**
   * Tells whether no higher epoch of the subject was seen, and remembers this one. Call it only for claims whose
   * signature by `key` was verified; `now` is in seconds since 1970.
   */
  isCurrent({ sub, epoch, exp }: AccessClaims, key: VerificationKey, now: number): boolean {
    const known = this.#highest.get(sub)
    const until = exp + this.#leeway
    if (known && now < known.until && this.#isHeld(known.key)) {
      if (epoch === known.epoch) known.until = Math.max(known.until, until)
      if (epoch <= known.epoch) return epoch === known.epoch
    }
    if (epoch > 0) this.#highest.set(sub, { epoch, key, until })
    return true
  }
}
