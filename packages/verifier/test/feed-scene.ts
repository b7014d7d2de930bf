import { Problem } from '@latchkey/problems/problem'
import type { Test } from 'tap'
import { accessClaims, accessToken, type Members, type TestKey } from '../../testing/src/tokens.ts'
import type { RevocationFeed } from '../src/feed/feed.ts'
import { type FeedOptions, openFeed } from '../src/feed/open-feed.ts'
import { readKeySet, type VerificationKey } from '../src/jwk.ts'
import type { KeySource } from '../src/key-set.ts'
import { createVerifier, type Verifier } from '../src/verifier.ts'
import type { VerifierOptions } from '../src/verifier-options.ts'
import { AUDIENCE, FakeFeed, FakeFeedClock, FEED_URL, ISSUER, ISSUER_ORIGIN } from './fake-feed.ts'

/** A verifier with a feed, under a clock that the test moves. */
export interface FeedScene {
  readonly verifier: Verifier
  readonly revocations: RevocationFeed
  readonly clock: FakeFeedClock
  readonly feed: FakeFeed
  readonly keys: FakeKeys
  readonly log: string[]
  /** A good token, issued now by the issuer's clock. */
  token(claims?: Members, key?: TestKey): string
  /** `accepted`, or the code of the refusal. */
  verdict(token: string): Promise<string>
}

/** A key set that a test changes. */
export class FakeKeys implements KeySource {
  /** How often it was asked to fetch the set. */
  refreshed = 0
  #held: ReadonlyMap<string, VerificationKey> = new Map()

  constructor(...keys: TestKey[]) {
    this.lists(...keys)
  }

  lists(...keys: TestKey[]): void {
    this.#held = readKeySet(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }), this.#held, () => {}) ?? new Map()
  }

  held(kid: string): VerificationKey | undefined {
    return this.#held.get(kid)
  }

  async find(kid: string): Promise<VerificationKey | undefined> {
    return this.held(kid)
  }

  refresh(): void {
    this.refreshed += 1
  }
}

interface Stage {
  readonly clock?: FakeFeedClock
  readonly feed?: FakeFeed
  readonly keys?: FakeKeys
  /** Before the first question is answered. */
  readonly prepare?: (feed: FakeFeed) => void
  readonly verifier?: Partial<VerifierOptions>
}

/** Opens a feed with a verifier; the first answer is there when it returns. */
export async function openScene(
  t: Test,
  key: TestKey,
  options: Partial<FeedOptions> = {},
  stage: Stage = {}
): Promise<FeedScene> {
  const { clock = new FakeFeedClock() } = stage
  const { feed = new FakeFeed(clock, key), keys = new FakeKeys(key) } = stage
  const log: string[] = []
  const write = (level: string) => (_: object, message: string) => log.push(`${level}: ${message}`)
  stage.prepare?.(feed)
  const revocations = openFeed({
    url: FEED_URL,
    whenCut: 'refuse',
    clock,
    fetch: feed.fetch,
    log: { info: write('info'), warn: write('warn') },
    ...options
  })
  t.teardown(() => revocations.close())
  const issuersNow = () => clock.elapsed() / 1000 + ISSUER_ORIGIN
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys,
    revocations,
    now: () => issuersNow() * 1000,
    ...stage.verifier
  })
  // The second question is on its way.
  await clock.pass(0.1)
  return {
    verifier,
    revocations,
    clock,
    feed,
    keys,
    log,
    token: (claims = {}, by = key) =>
      accessToken(by, { ...accessClaims(ISSUER, AUDIENCE, Math.floor(issuersNow())), ...claims }),
    verdict: (token) => verdictOf(verifier, token)
  }
}

/** `accepted`, or the code of the refusal. */
export async function verdictOf(verifier: Verifier, token: string): Promise<string> {
  return verifier.verify(token).then(
    () => 'accepted',
    (error) => (error instanceof Problem ? error.code : String(error))
  )
}
