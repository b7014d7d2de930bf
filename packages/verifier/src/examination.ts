import { Problem } from '@latchkey/problems/problem'
import { type AccessClaims, KINDS } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import { checkClaims, checkHeader, type TokenHeader } from '@latchkey/tokens/rules'
import { type Mark, markOf } from './feed/mark.ts'
import { inOneTurn } from './in-one-turn.ts'
import type { VerificationKey } from './jwk.ts'
import type { Asked, KeySource } from './key-set.ts'
import type { KeptToken, VerifiedToken } from './verifier-options.ts'

/** A token that was found good, and until when. */
export interface Verdict {
  readonly token: VerifiedToken
  readonly key: VerificationKey
  /** When it expires, and until when the verdict counts; seconds since 1970. */
  readonly expires: number
  readonly until: number
  /** What the revocation feed needs to know of it. */
  readonly mark: Mark | undefined
}

/** What a token is examined with; `leeway` is in seconds. */
interface Examiner {
  readonly issuer: string
  readonly audience: string
  readonly keys: KeySource
  readonly leeway: number
  /** The present, in seconds since 1970. */
  readonly seconds: () => number
  /** Whether verdicts get the mark that the revocation feed needs. */
  readonly isMarked: boolean
}

/** Examines tokens that were not seen before: form, claims, key, signature. */
export class Examination {
  readonly #with: Examiner
  readonly #isSigned = inOneTurn(({ text, key }: { text: string; key: VerificationKey }) => key.verifies(text))

  constructor(examiner: Examiner) {
    this.#with = examiner
  }

  /** A verdict counts only while the set still lists its key, so a withdrawn key ends all its verdicts. */
  isHeld(key: VerificationKey): boolean {
    return this.#with.keys.held(key.kid) === key
  }

  /** Throws if a verdict's token has expired, or its key is withdrawn. */
  requireAlive({ key, expires }: Verdict): void {
    if (this.#with.seconds() >= expires) throw new Problem('token_expired')
    if (!this.isHeld(key) && this.#lookUp(key.kid) !== key) throw refused('kid is no longer in the key set')
  }

  /**
   * Finds that what was kept of a verified token is still good, as a new token would be; throws a `Problem` if it is not.
   * Its signature is not there, so the key must still be held.
   */
  async readmit({ kid, claims: kept }: KeptToken, age: number): Promise<Verdict> {
    const { issuer, audience, leeway, keys, seconds } = this.#with
    const header = checkHeader('access', { alg: 'RS256', typ: KINDS.access.typ, kid })
    const now = seconds()
    const claims = checkClaims('access', { ...kept }, { issuer, audience, leeway, now })
    const key = await keys.find(header.kid)
    if (!key) throw refused('kid is not in the key set')
    return this.#found(header, claims, key, now + age)
  }

  /** Finds that a token is good, for at most `age` seconds; throws a `Problem` if it is not. */
  async verdict(text: string, age: number, asked?: Asked): Promise<Verdict> {
    const { issuer, audience, leeway, keys, seconds } = this.#with
    const unverified = decodeUnverified(text)
    const header = checkHeader('access', unverified.header)
    const expected = { issuer, audience, leeway, now: seconds() }
    // Before the signature, so that only a plausible token can cause a fetch of its key.
    const { claims, expired } = inspect(unverified.claims, expected)
    const key = expired ? this.#lookUp(header.kid) : await keys.find(header.kid, asked)
    if (!key) throw refused('kid is not in the key set')
    if (!(await this.#isSigned({ text, key }))) throw refused('the signature is not that of the key')
    if (expired) throw expired
    // The token may have waited for its key and its turn.
    if (!this.isHeld(key) && (await keys.find(key.kid, asked)) !== key) throw refused('kid is no longer in the key set')
    return this.#found(header, claims, key, expected.now + age)
  }

  #found(header: TokenHeader, claims: AccessClaims, key: VerificationKey, latest: number): Verdict {
    const { leeway, seconds, isMarked } = this.#with
    const expires = claims.exp + leeway
    if (seconds() >= expires) throw new Problem('token_expired')
    const token = Object.freeze({ header: Object.freeze(header), claims })
    const mark = isMarked ? markOf(claims, key.kid) : undefined
    return { token, key, expires, until: Math.min(expires, latest), mark }
  }

  #lookUp(kid: string): VerificationKey | undefined {
    const { keys } = this.#with
    return keys.lookUp ? keys.lookUp(kid) : keys.held(kid)
  }
}

type Inspection = { claims: AccessClaims; expired?: undefined } | { claims?: undefined; expired: Problem }

// Not thrown at once: only a genuine token may be called expired.
function inspect(claims: Readonly<Record<string, unknown>>, expected: Parameters<typeof checkClaims>[2]): Inspection {
  try {
    return { claims: checkClaims('access', claims, expected) }
  } catch (error) {
    if (error instanceof Problem && error.code === 'token_expired') return { expired: error }
    throw error
  }
}

/** The refusal of a token that is not valid here; `reason` is for the log. */
export function refused(reason: string): Problem {
  return new Problem('invalid_token', { reason })
}
