import type { AccessClaims } from '@latchkey/tokens/claims'
import { BoundedMap } from './bounded-map.ts'
import type { VerificationKey } from './jwk.ts'

interface Highest {
  readonly epoch: number
  /** The key that vouched for it. */
  readonly key: VerificationKey
  /** Seconds since 1970. */
  until: number
}

/**
 * Remembers the highest `epoch` seen of each subject, and so ends the tokens from before a password change as soon as
 * one from after it was shown here.
 *
 * An epoch counts until its token expires, for by then all earlier ones have, and while its key is held: a stolen key
 * that claims an epoch of the far future shuts nobody out once it is withdrawn. Of more than `limit` subjects the one
 * whose epoch rose least recently is forgotten; its earlier tokens are then believed again until they expire. Nobody is
 * remembered at epoch 0, which is never too low.
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
   * Tells whether no higher epoch of the subject was seen, and remembers this one. Only for claims that `key` was found
   * to have signed; `now` in seconds since 1970.
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
