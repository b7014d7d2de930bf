import type { AccessClaims } from '@latchkey/tokens/claims'
import type { TokenHeader } from '@latchkey/tokens/rules'
import { SYSTEM_CLOCK } from './clock.ts'
import { Feed, type RevocationFeed } from './feed/feed.ts'
import type { KeySource } from './key-set.ts'
import { requireFunctions, requireMethods, requireNumbers, requireObject, requireTexts, YEAR } from './options.ts'

/** A token with a valid signature and valid claims; frozen. */
export interface VerifiedToken {
  readonly header: TokenHeader
  readonly claims: AccessClaims
}

/** What a service keeps of a verified token, to admit its bearer again a moment later; whoever writes it decides who is let in. */
export interface KeptToken {
  /** Of the header. */
  readonly kid: string
  /** As they were verified. They may have been through JSON. */
  readonly claims: Readonly<Record<string, unknown>> | AccessClaims
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
  /** The revocation feed of the issuer: what `openFeed` opened, for this verifier alone. None: tokens live until they expire. */
  readonly revocations?: RevocationFeed
  /** How many verdicts are surely remembered; at most twice as many are, about 2 kB each. 10,000. */
  readonly maxVerdicts?: number
  /** Longest time until a repeated token is verified again, in seconds. 300. */
  readonly verdictAge?: number
  /** How many subjects' highest `epoch` is surely remembered, to refuse lower ones; 0 accepts all epochs. 10,000. */
  readonly maxSubjects?: number
  /** The present, in milliseconds since 1970. */
  readonly now?: () => number
}

/** A map in Node holds 16 million entries and throws beyond. */
const MOST_REMEMBERED = 10_000_000

const ISSUER_IS_NO_AUDIENCE =
  'audience must not be the issuer: tokens for the issuer alone open its administration, so no other service may take them.'

/** Checks the options of a verifier and fills in the defaults. Throws a TypeError that names the wrong one. */
export function withDefaults(options: VerifierOptions): Required<Omit<VerifierOptions, 'revocations'>> {
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

/** The feed of a verifier, if it has one. Throws a TypeError if it is no feed. */
export function feedOf(revocations: RevocationFeed | undefined): Feed | undefined {
  if (revocations === undefined || revocations instanceof Feed) return revocations
  throw new TypeError('revocations must be what openFeed opened.')
}

/** The present in seconds. It throws on NaN, with which no comparison is true, so that tokens would never expire. */
export function secondsOf(now: () => number): () => number {
  return () => {
    const milliseconds = now()
    if (!Number.isFinite(milliseconds)) throw new TypeError('now must return a number: milliseconds since 1970.')
    return milliseconds / 1000
  }
}
