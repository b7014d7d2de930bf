import type { AccessClaims } from '@latchkey/tokens/claims'
import { BoundedMap } from './bounded-map.ts'
import { HighestEpochs } from './epochs.ts'
import { refused, type Verdict } from './examination.ts'
import type { Feed } from './feed/feed.ts'
import type { VerificationKey } from './jwk.ts'
import type { VerifiedToken } from './verifier-options.ts'

/** What verdicts are judged with. */
interface Judging {
  readonly maxVerdicts: number
  readonly maxSubjects: number
  readonly leeway: number
  readonly trusted: (token: VerifiedToken) => boolean
  readonly isHeld: (key: VerificationKey) => boolean
  /** The present, in seconds since 1970. */
  readonly seconds: () => number
  readonly feed: Feed | undefined
}

/** The tokens that were found good, and whether they are still trusted. */
export class Verdicts {
  readonly #with: Judging
  // The key is the whole token: a shorter one could be made to collide.
  readonly #remembered: BoundedMap<string, Verdict>
  // Of the tokens that callers hold.
  readonly #held = new WeakMap<VerifiedToken, Verdict>()
  readonly #epochs: HighestEpochs

  constructor(judging: Judging) {
    const { maxVerdicts, maxSubjects, leeway, isHeld, feed } = judging
    this.#with = judging
    this.#remembered = new BoundedMap(maxVerdicts)
    const counts = (key: VerificationKey) => isHeld(key) && feed?.hasRevoked(key.kid) !== true
    this.#epochs = new HighestEpochs({ limit: maxSubjects, leeway, counts })
  }

  /** The verdict of a token that was verified before, unless it ended. */
  find(text: string): Verdict | undefined {
    const verdict = this.#remembered.get(text)
    if (!verdict) return undefined
    if (this.#with.seconds() < verdict.until && this.#with.isHeld(verdict.key)) return verdict
    this.#remembered.delete(text)
    return undefined
  }

  /** How many are remembered. */
  get size(): number {
    return this.#remembered.size
  }

  remember(text: string, verdict: Verdict): Verdict {
    this.#remembered.set(text, verdict)
    return verdict
  }

  /** The claims of a verdict. Throws a `Problem` if the token is no longer trusted. */
  claimsOf(verdict: Verdict): AccessClaims {
    if (verdict.mark) this.#with.feed?.checkEntries(verdict.mark)
    return this.claimsOfUnnamed(verdict)
  }

  /** The same of a token that the revocation feed does not name. */
  claimsOfUnnamed({ token, key, mark }: Verdict): AccessClaims {
    const { seconds, feed, trusted } = this.#with
    const standing = this.#epochs.standing(token.claims, seconds())
    if (standing === 'lower') throw refused('a later epoch of its subject was seen')
    if (mark) feed?.checkState(mark)
    if (trusted(token) !== true) throw refused('it is no longer trusted')
    // Last: a token that is refused after all must not have others refused.
    if (standing === 'new') this.#epochs.remember(token.claims, key, seconds())
    return token.claims
  }

  /** The token of a verdict, for {@link Verdicts.of}; throws as `claimsOf`. */
  hold(verdict: Verdict): VerifiedToken {
    this.claimsOf(verdict)
    this.#held.set(verdict.token, verdict)
    return verdict.token
  }

  /** The verdict of a token that is held. Throws a TypeError for any other. */
  of(token: VerifiedToken): Verdict {
    const verdict = this.#held.get(token)
    if (!verdict) throw new TypeError('the token was neither examined nor readmitted by this verifier.')
    return verdict
  }
}
