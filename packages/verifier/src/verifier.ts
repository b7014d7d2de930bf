import { Problem } from '@latchkey/problems/problem'
import type { AccessClaims } from '@latchkey/tokens/claims'
import { SYSTEM_CLOCK } from './clock.ts'
import { Examination, type Verdict } from './examination.ts'
import type { Asked } from './key-set.ts'
import { requireFunctions } from './options.ts'
import { Verdicts } from './verdicts.ts'
import {
  feedOf,
  type KeptToken,
  secondsOf,
  type VerifiedToken,
  type VerifierOptions,
  withDefaults
} from './verifier-options.ts'
import { type EndOfToken, Watches } from './watches.ts'

/** Verifies access tokens without asking anybody. */
export interface TokenVerifier {
  /**
   * The claims of a token that was verified before and is still valid; does no cryptography and never waits.
   *
   * Returns nothing if `verify` has to decide; throws `invalid_token` if the token is no longer trusted.
   */
  recall(token: string): AccessClaims | undefined
  /**
   * The claims of a token, frozen.
   *
   * Throws a `Problem`: `token_expired`, `invalid_token`, or `unavailable` while there is no usable key set. If the issuer is
   * asked because of this token, the trace of `asked` is handed on.
   */
  verify(token: string, asked?: Asked): Promise<AccessClaims>
}

/** A verifier that also judges tokens of connections that outlive a request. */
export interface Verifier extends TokenVerifier {
  /** As `verify`, with the header of the token; for {@link Verifier.recheck} and {@link Verifier.watch}. */
  examine(token: string, asked?: Asked): Promise<VerifiedToken>
  /**
   * Throws a `Problem` if a token that was examined or readmitted is refused now: `token_expired` at its `exp`, without the
   * leeway; otherwise as `verify`. It never waits and takes about a microsecond, so it can be asked for each message.
   *
   * Throws a TypeError for a token of another verifier.
   */
  recheck(token: VerifiedToken): void
  /**
   * Judges what was kept of an examined token as if it was shown now. Its signature is not checked again: only what nobody
   * else can write, such as a row of an own table, may be given here. Throws as `verify`.
   */
  readmit(kept: KeptToken): Promise<VerifiedToken>
  /**
   * Calls `ended` once, later, when the token would be refused: for a connection that outlives a request. A token that was
   * not verified before is verified first. Returns a function that ends the watching.
   *
   * An end in the revocation feed is told at once, others within a second. An error of `ended` becomes a warning of the
   * process.
   */
  watch(token: string | VerifiedToken, ended: (reason: EndOfToken) => void): () => void
  /** What has been judged since the start, for metrics. */
  counts(): VerifierCounts
}

/** What a verifier has judged since the start. */
export interface VerifierCounts {
  /** Tokens that were verified before. */
  readonly hits: number
  /** Tokens that were verified now. */
  readonly verified: number
  /** Tokens that were not accepted, also for want of a key set. */
  readonly refused: number
  /** Verdicts that are remembered. */
  readonly held: number
}

/** Makes a verifier of access tokens (RFC 9068 §4). Throws a TypeError on a missing or invalid option. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, keys, leeway, now, verdictAge, ...settings } = withDefaults(options)
  const feed = feedOf(options.revocations)
  const seconds = secondsOf(now)
  const examination = new Examination({ issuer, audience, keys, leeway, seconds, isMarked: feed !== undefined })
  const verdicts = new Verdicts({ ...settings, leeway, seconds, feed, isHeld: (key) => examination.isHeld(key) })

  const counts = { hits: 0, verified: 0, refused: 0 }

  async function find(text: string, asked?: Asked): Promise<Verdict> {
    return verdicts.find(text) ?? verdicts.remember(text, await examination.verdict(text, verdictAge, asked))
  }

  function recall(text: string): AccessClaims | undefined {
    const verdict = verdicts.find(text)
    if (!verdict) return undefined
    try {
      const claims = verdicts.claimsOf(verdict)
      counts.hits += 1
      return claims
    } catch (error) {
      counts.refused += 1
      throw error
    }
  }

  async function judge<T>(text: string, asked: Asked | undefined, accept: (verdict: Verdict) => T): Promise<T> {
    try {
      const accepted = accept(await find(text, asked))
      counts.verified += 1
      return accepted
    } catch (error) {
      counts.refused += 1
      throw error
    }
  }

  const watches = new Watches<Verdict>({
    find: async (token) => (typeof token === 'string' ? find(token) : verdicts.of(token)),
    check: (verdict, isNamed) => {
      examination.requireAlive(verdict)
      if (isNamed) verdicts.claimsOf(verdict)
      else verdicts.claimsOfUnnamed(verdict)
    },
    clock: feed?.clock ?? SYSTEM_CLOCK
  })
  feed?.start({ issuer, audience, keys }, watches)

  return {
    recall,
    verify: async (text, asked) => recall(text) ?? judge(text, asked, (verdict) => verdicts.claimsOf(verdict)),
    examine: (text, asked) => judge(text, asked, (verdict) => verdicts.hold(verdict)),
    readmit: async (kept) => verdicts.hold(await examination.readmit(kept, verdictAge)),
    recheck: (token) => {
      const verdict = verdicts.of(token)
      if (seconds() >= token.claims.exp) throw new Problem('token_expired')
      examination.requireAlive(verdict)
      verdicts.claimsOf(verdict)
    },
    watch: (token, ended) => {
      requireFunctions({ ended })
      if (typeof token === 'object') verdicts.of(token)
      return watches.add(token, ended)
    },
    counts: () => ({ ...counts, held: verdicts.size })
  }
}
