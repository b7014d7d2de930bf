import type { AccessClaims } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import { Problem } from '@latchkey/tokens/errors'
import { checkClaims, checkHeader } from '@latchkey/tokens/rules'
import type { VerificationKey } from './jwk.ts'
import type { KeySet } from './key-set.ts'

/** What a verifier accepts. Issuer and audience have no default: a verifier that forgets them accepts anybody's tokens. */
export interface VerifierOptions {
  /** Must equal `iss` exactly. */
  readonly issuer: string
  /** The one name of this service that `aud` must hold. */
  readonly audience: string
  readonly keys: KeySet
  /** How far clocks may differ, in seconds. 5. */
  readonly leeway?: number
  /** Verdicts that are remembered; one has about 3 kB. 10,000. */
  readonly maxVerdicts?: number
  /** The present, in milliseconds since 1970. */
  readonly now?: () => number
}

/** Verifies access tokens without asking anybody. */
export interface Verifier {
  /** The claims of a token that was verified before and is still good; does no cryptography and never waits. */
  recall(token: string): AccessClaims | undefined
  /**
   * The claims of a token, frozen.
   *
   * Throws a `Problem`: `token_expired`, `invalid_token`, or `unavailable` while no key set can be had.
   */
  verify(token: string): Promise<AccessClaims>
}

interface Verdict {
  readonly claims: AccessClaims
  readonly key: VerificationKey
}

/** Makes a verifier of access tokens (RFC 9068 §4). */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, keys, leeway = 5, maxVerdicts = 10_000, now = Date.now } = options
  // Keyed by the whole token: nothing shorter is safe from a text made to collide.
  const verdicts = new Map<string, Verdict>()

  function recall(token: string): AccessClaims | undefined {
    const verdict = verdicts.get(token)
    if (!verdict) return undefined
    const { claims, key } = verdict
    // Counts only while the set still lists the very key, so that a withdrawn key takes its verdicts along.
    if (keys.held(key.kid) === key && now() / 1000 < claims.exp + leeway) return claims
    verdicts.delete(token)
    return undefined
  }

  function remember(token: string, verdict: Verdict): AccessClaims {
    const [oldest] = verdicts.keys()
    if (verdicts.size >= maxVerdicts && oldest !== undefined) verdicts.delete(oldest)
    verdicts.set(token, verdict)
    return verdict.claims
  }

  return {
    recall,
    verify: async (token) => {
      const known = recall(token)
      if (known) return known
      const unverified = decodeUnverified(token)
      const { kid } = checkHeader('access', unverified.header)
      const expected = { issuer, audience, leeway, now: now() / 1000 }
      // Before the signature, so that only a token that could be good makes us ask the issuer for its key.
      const { claims, expired } = inspect(unverified.claims, expected)
      const key = expired ? keys.held(kid) : await keys.find(kid)
      if (!key) throw new Problem('invalid_token', { reason: 'kid is not in the key set' })
      if (!key.verifies(token)) throw new Problem('invalid_token', { reason: 'the signature is not that of the key' })
      if (expired) throw expired
      return remember(token, { claims, key })
    }
  }
}

type Inspection = { claims: AccessClaims; expired?: undefined } | { claims?: undefined; expired: Problem }

// An expired token is told so only when its signature is genuine, hence not thrown at once.
function inspect(claims: Readonly<Record<string, unknown>>, expected: Parameters<typeof checkClaims>[2]): Inspection {
  try {
    return { claims: checkClaims('access', claims, expected) }
  } catch (error) {
    if (error instanceof Problem && error.code === 'token_expired') return { expired: error }
    throw error
  }
}
