import { accessClaims } from '../../testing/src/tokens.ts'
import type { Feed } from '../src/feed/feed.ts'
import type { WhenCut } from '../src/feed/freshness.ts'
import { markOf } from '../src/feed/mark.ts'
import { openFeed } from '../src/feed/open-feed.ts'
import { settle } from './fake-clock.ts'
import { AUDIENCE, FakeFeedClock, FEED_URL, ISSUER, ISSUER_ORIGIN, session, subject } from './fake-feed.ts'
import { key, PlayedNetwork } from './played-network.ts'

/** What a history found. */
export interface Found {
  readonly faults: readonly string[]
  readonly checks: number
  readonly cutSeconds: number
}

/** Numbers from 0 up to 1 that a seed decides. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const LENGTH = 180
const STEP = 0.5
/** With a network sound for so long there is no cut, in seconds. */
const SOUND = 12

/** Plays three minutes of a receiver of the feed, with a network that a seed decides. */
export async function playHistory(seed: number, whenCut: WhenCut, bound: number): Promise<Found> {
  const history = new History(seed, whenCut, bound)
  await history.play()
  return history.found()
}

interface Issued {
  mark: ReturnType<typeof markOf>
  readonly claims: ReturnType<typeof accessClaims>
  endedAt: number
}

class History {
  readonly #next: () => number
  readonly #clock = new FakeFeedClock()
  readonly #whenCut: WhenCut
  readonly #bound: number
  readonly #tokens: Issued[] = []
  readonly #network: PlayedNetwork
  readonly #faults: string[] = []
  #soundSince = 0
  #checks = 0
  #cut = 0
  #feed: Feed

  constructor(seed: number, whenCut: WhenCut, bound: number) {
    this.#next = random(seed)
    this.#whenCut = whenCut
    this.#bound = bound
    this.#clock.random = this.#next
    this.#network = new PlayedNetwork(this.#clock, this.#next)
    this.#feed = this.#open()
  }

  found(): Found {
    return { faults: this.#faults, checks: this.#checks, cutSeconds: this.#cut }
  }

  async play(): Promise<void> {
    await settle()
    while (this.#now() < LENGTH) {
      this.#happen()
      await this.#clock.pass(STEP)
      this.#check()
    }
    this.#feed.close()
    await settle()
  }

  #open(): Feed {
    const feed = openFeed({
      url: FEED_URL,
      whenCut: this.#whenCut,
      bound: this.#bound,
      clock: this.#clock,
      fetch: this.#network.fetch
    }) as Feed
    const keys = { held: (kid: string) => (kid === key.kid ? key : undefined), find: async () => key }
    feed.start({ issuer: ISSUER, audience: AUDIENCE, keys }, { told: () => {}, changed: () => {} })
    return feed
  }

  #now(): number {
    return this.#clock.elapsed() / 1000
  }

  // What may happen in half a second.
  #happen(): void {
    const issued = Math.floor(this.#now() + ISSUER_ORIGIN)
    if (this.#next() < 0.5) {
      const claims = accessClaims(ISSUER, AUDIENCE, issued)
      this.#tokens.push({ claims, mark: markOf(claims, key.kid), endedAt: Number.POSITIVE_INFINITY })
    }
    const some = this.#tokens[Math.floor(this.#next() * this.#tokens.length)]
    if (some && this.#next() < 0.3 && some.endedAt === Number.POSITIVE_INFINITY) {
      some.endedAt = this.#now()
      this.#network.end(this.#next() < 0.5 ? session(some.claims.sid) : subject(some.claims.sub, 1))
    }
    if (this.#next() < 0.03) this.#turn(['sound', 'sound', 'cut', 'slow', 'lossy', 'replays', 'halves'])
    if (this.#next() < 0.02) this.#clock.wrong = (this.#next() - 0.5) * 120_000
    if (this.#next() < 0.005) {
      this.#feed.close()
      this.#feed = this.#open()
      // A process that starts again remembers no verdict.
      for (const token of this.#tokens) token.mark = markOf(token.claims, key.kid)
      this.#soundSince = this.#now()
    }
  }

  #turn(weathers: readonly string[]): void {
    const weather = weathers[Math.floor(this.#next() * weathers.length)] ?? 'sound'
    if (weather === 'sound' && this.#network.weather !== 'sound') this.#soundSince = this.#now()
    this.#network.weather = weather
  }

  #check(): void {
    const now = this.#now()
    const isCut = this.#feed.status().state !== 'current'
    if (isCut) this.#cut += STEP
    if (isCut && this.#network.weather === 'sound' && now - this.#soundSince > SOUND)
      this.#fault('it is cut with a sound network')
    for (const { mark, endedAt } of this.#tokens) {
      this.#checks += 1
      const code = codeOf(() => {
        this.#feed.checkEntries(mark)
        this.#feed.checkState(mark)
      })
      if (code === 'accepted' && this.#whenCut !== 'accept' && now > endedAt + this.#bound + 1e-6) {
        this.#fault(`a token is accepted ${now - endedAt} s after its end`)
      }
      if (code === 'invalid_token' && now < endedAt) this.#fault('a good token is refused by an entry')
      if (code === 'accepted' && isCut && this.#whenCut === 'refuse') this.#fault('a token is accepted while it is cut')
    }
  }

  #fault(what: string): void {
    if (this.#faults.length < 5) this.#faults.push(`${what} (second ${this.#now()})`)
  }
}

function codeOf(check: () => void): string {
  try {
    check()
    return 'accepted'
  } catch (error) {
    return String((error as { code?: string }).code ?? error)
  }
}
