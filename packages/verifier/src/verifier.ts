import { Problem } from '@latchkey/problems/problem'
import type { AccessClaims } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import { checkClaims, checkHeader, type TokenHeader } from '@latchkey/tokens/rules'
import { BoundedMap } from './bounded-map.ts'
import { SYSTEM_CLOCK } from './clock.ts'
import { HighestEpochs } from './epochs.ts'
import { inOneTurn } from './in-one-turn.ts'
import type { VerificationKey } from './jwk.ts'
import type { KeySource } from './key-set.ts'
import { requireFunctions, requireMethods, requireNumbers, requireObject, requireTexts, YEAR } from './options.ts'

/** A token with a valid signature and valid claims; frozen. */
export interface VerifiedToken {
  readonly header: TokenHeader
  readonly claims: AccessClaims
}

/**
 * The options of a verifier. Issuer and audience have no default: without them a verifier would accept tokens of
 * anybody.
 */
export interface VerifierOptions {
  /** Must equal `iss` exactly. */
  readonly issuer: string
  /**
   * The name of this service, which `aud` must contain. Not the issuer: tokens for the issuer alone open its
   * administration.
   */
  readonly audience: string
  /** The issuer's keys: the result of `openKeySet`. */
  readonly keys: KeySource
  /** How far clocks may differ, in seconds, at most 300; an expired token is accepted for this long. 5. */
  readonly leeway?: number
  /**
   * Says whether a verified token is trusted; called on every request. By default all are.
   *
   * It must answer at once: anything but `true`, also a promise, refuses the token.
   */
  readonly trusted?: (token: VerifiedToken) => boolean
  /** How many verdicts are surely remembered; at most twice as many are, about 2 kB each. 10,000. */
  readonly maxVerdicts?: number
  /** Longest time until a repeated token is verified again, in seconds. 300. */
  readonly verdictAge?: number
  /** How many subjects' highest `epoch` is surely remembered, to refuse lower ones; 0 accepts all epochs. 10,000. */
  readonly maxSubjects?: number
  /** The present, in milliseconds since 1970. */
  readonly now?: () => number
}

/** Verifies access tokens without asking anybody. */
export interface Verifier {
  /**
   * The claims of a token that was verified before and is still valid; does no cryptography and never waits.
   *
   * Returns nothing if `verify` has to decide; throws `invalid_token` if the token is no longer trusted.
   */
  recall(token: string): AccessClaims | undefined
  /**
   * The claims of a token, frozen.
   *
   * Throws a `Problem`: `token_expired`, `invalid_token`, or `unavailable` while there is no usable key set.
   */
  verify(token: string): Promise<AccessClaims>
}

interface Verdict {
  readonly token: VerifiedToken
  readonly key: VerificationKey
  /** Seconds since 1970. */
  readonly until: number
}

/** A map in Node holds 16 million entries and throws beyond. */
const MOST_REMEMBERED = 10_000_000

const ISSUER_IS_NO_AUDIENCE =
  'audience must not be the issuer: tokens for the issuer alone open its administration, so no other service may take them.'

/** Makes a verifier of access tokens (RFC 9068 §4). Throws a TypeError on a missing or invalid option. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, keys, leeway, trusted, now, maxVerdicts, verdictAge, maxSubjects } = withDefaults(options)
  const seconds = secondsOf(now)
  // A verdict counts only while the set still lists its key, so a withdrawn key ends all its verdicts.
  const isHeld = (key: VerificationKey) => keys.held(key.kid) === key
  // The key is the whole token: a shorter one could be made to collide.
  const verdicts = new BoundedMap<string, Verdict>(maxVerdicts)
  const epochs = new HighestEpochs({ limit: maxSubjects, leeway, isHeld })
  const isSigned = inOneTurn(({ text, key }: { text: string; key: VerificationKey }) => key.verifies(text))

  const lookUp = (kid: string) => (keys.lookUp ? keys.lookUp(kid) : keys.held(kid))

  function recall(text: string): AccessClaims | undefined {
    const verdict = verdicts.get(text)
    if (!verdict) return undefined
    if (seconds() < verdict.until && isHeld(verdict.key)) return claimsOf(verdict)
    verdicts.delete(text)
    return undefined
  }

  function claimsOf({ token, key }: Verdict): AccessClaims {
    if (!epochs.isCurrent(token.claims, key, seconds())) throw refused('a later epoch of its subject was seen')
    if (trusted(token) !== true) throw refused('it is no longer trusted')
    return token.claims
  }

  return {
    recall,
    verify: async (text) => {
      const known = recall(text)
      if (known) return known
      const unverified = decodeUnverified(text)
      const header = checkHeader('access', unverified.header)
      const expected = { issuer, audience, leeway, now: seconds() }
      // Before the signature, so that only a plausible token can cause a fetch of its key.
      const { claims, expired } = inspect(unverified.claims, expected)
      const key = expired ? lookUp(header.kid) : await keys.find(header.kid)
      if (!key) throw refused('kid is not in the key set')
      if (!(await isSigned({ text, key }))) throw refused('the signature is not that of the key')
      if (expired) throw expired
      const until = claims.exp + leeway
      // The token may have waited for its key and its turn.
      if (!isHeld(key) && (await keys.find(key.kid)) !== key) throw refused('kid is no longer in the key set')
      if (seconds() >= until) throw new Problem('token_expired')
      const token = Object.freeze({ header: Object.freeze(header), claims })
      const verdict = { token, key, until: Math.min(until, expected.now + verdictAge) }
      verdicts.set(text, verdict)
      return claimsOf(verdict)
    }
  }
}

function withDefaults(options: VerifierOptions): Required<VerifierOptions> {
  requireObject(options)
  const { issuer, audience, keys, leeway = 5, trusted = () => true, now = SYSTEM_CLOCK.now } = options
  const { maxVerdicts = 10_000, verdictAge = 300, maxSubjects = 10_000 } = options
  requireTrust({ issuer, audience, keys })
  requireNumbers({
    leeway: [leeway, 0, 300],
    maxVerdicts: [maxVerdicts, 0, MOST_REMEMBERED],
    verdictAge: [verdictAge, 0, YEAR],
    maxSubjects: [maxSubjects, 0, MOST_REMEMBERED]
  })
  requireFunctions({ trusted, now })
  return { issuer, audience, keys, leeway, trusted, now, maxVerdicts, verdictAge, maxSubjects }
}

function requireTrust({ issuer, audience, keys }: Pick<VerifierOptions, 'issuer' | 'audience' | 'keys'>): void {
  requireTexts({ issuer, audience })
  if (audience === issuer) throw new TypeError(ISSUER_IS_NO_AUDIENCE)
  requireMethods(keys, ['held', 'find'], 'keys must be a key source: what openKeySet opened, awaited.')
}

// With NaN no comparison is true, so tokens would never expire.
function secondsOf(now: () => number): () => number {
  return () => {
    const milliseconds = now()
    if (!Number.isFinite(milliseconds)) throw new TypeError('now must return a number: milliseconds since 1970.')
    return milliseconds / 1000
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

function refused(reason: string): Problem {
  return new Problem('invalid_token', { reason })
}
