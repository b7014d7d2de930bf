import type { AccessClaims } from '@latchkey/tokens/claims'
import { BoundedMap } from './bounded-map.ts'
import { SYSTEM_CLOCK } from './clock.ts'
import { HighestEpochs } from './epochs.ts'
import { Examination, refused, type Verdict } from './examination.ts'
import type { VerificationKey } from './jwk.ts'
import { requireFunctions } from './options.ts'
import { feedOf, secondsOf, type VerifierOptions, withDefaults } from './verifier-options.ts'
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
   * Throws a `Problem`: `token_expired`, `invalid_token`, or `unavailable` while there is no usable key set.
   */
  verify(token: string): Promise<AccessClaims>
}

/** A verifier that also watches tokens of connections that outlive a request. */
export interface Verifier extends TokenVerifier {
  /**
   * Calls `ended` once, later, when the token would be refused: for a connection that outlives a request. A token that was
   * not verified before is verified first. Returns a function that ends the watching.
   *
   * An end in the revocation feed is told at once, others within a second. An error of `ended` becomes a warning of the
   * process.
   */
  watch(token: string, ended: (reason: EndOfToken) => void): () => void
}

/** Makes a verifier of access tokens (RFC 9068 §4). Throws a TypeError on a missing or invalid option. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, keys, leeway, trusted, now, maxVerdicts, verdictAge, maxSubjects } = withDefaults(options)
  const feed = feedOf(options.revocations)
  const seconds = secondsOf(now)
  const examination = new Examination({ issuer, audience, keys, leeway, seconds, isMarked: feed !== undefined })
  const isHeld = (key: VerificationKey) => examination.isHeld(key)
  // The key is the whole token: a shorter one could be made to collide.
  const verdicts = new BoundedMap<string, Verdict>(maxVerdicts)
  const epochs = new HighestEpochs({ limit: maxSubjects, leeway, isHeld })

  function remembered(text: string): Verdict | undefined {
    const verdict = verdicts.get(text)
    if (!verdict) return undefined
    if (seconds() < verdict.until && isHeld(verdict.key)) return verdict
    verdicts.delete(text)
    return undefined
  }

  function claimsOf(verdict: Verdict): AccessClaims {
    if (verdict.mark) feed?.checkEntries(verdict.mark)
    return claimsOfUnnamed(verdict)
  }

  // Of a token that the revocation feed does not name.
  function claimsOfUnnamed({ token, key, mark }: Verdict): AccessClaims {
    if (!epochs.isCurrent(token.claims, key, seconds())) throw refused('a later epoch of its subject was seen')
    if (mark) feed?.checkState(mark)
    if (trusted(token) !== true) throw refused('it is no longer trusted')
    return token.claims
  }

  async function examine(text: string): Promise<Verdict> {
    const verdict = await examination.verdict(text, verdictAge)
    verdicts.set(text, verdict)
    return verdict
  }

  const watches = new Watches<Verdict>({
    find: async (text) => remembered(text) ?? examine(text),
    check: (verdict, isNamed) => {
      examination.requireAlive(verdict)
      if (isNamed) claimsOf(verdict)
      else claimsOfUnnamed(verdict)
    },
    clock: feed?.clock ?? SYSTEM_CLOCK
  })
  feed?.start({ issuer, audience, keys }, watches)

  function recall(text: string): AccessClaims | undefined {
    const verdict = remembered(text)
    return verdict && claimsOf(verdict)
  }

  return {
    recall,
    verify: async (text) => recall(text) ?? claimsOf(await examine(text)),
    watch: (text, ended) => {
      requireFunctions({ ended })
      return watches.add(text, ended)
    }
  }
}
