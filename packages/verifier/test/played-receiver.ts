import type { Feed } from '../src/feed/feed.ts'
import type { WhenCut } from '../src/feed/freshness.ts'
import type { Mark } from '../src/feed/mark.ts'
import { openFeed } from '../src/feed/open-feed.ts'
import type { KeySource } from '../src/key-set.ts'
import { AUDIENCE, type FakeFeedClock, FEED_URL, ISSUER } from './fake-feed.ts'
import type { PlayedIssuer, PlayedKey } from './played-issuer.ts'
import { PlayedNetwork, type Thief, type Weather } from './played-network.ts'

/** Shortest time between two fetches of the key set, in seconds. */
const COOLDOWN = 5
/** With a network sound for so long there is no cut, and what a thief told is gone; in seconds. */
const SOUND = 12

/** A resource service: its receiver of the feed, its key set, its network. */
export class PlayedReceiver {
  readonly bound: number
  readonly whenCut: WhenCut
  readonly #clock: FakeFeedClock
  readonly #issuer: PlayedIssuer
  readonly #network: PlayedNetwork
  #held: ReadonlyMap<string, PlayedKey> = new Map()
  #fetched = Number.NEGATIVE_INFINITY
  #wantsKeys = true
  #soundSince = 0
  #isDeceived = false
  #feed: Feed

  constructor(
    { clock, issuer, next }: { clock: FakeFeedClock; issuer: PlayedIssuer; next: () => number },
    { whenCut, bound }: { whenCut: WhenCut; bound: number }
  ) {
    this.#clock = clock
    this.#issuer = issuer
    this.whenCut = whenCut
    this.bound = bound
    this.#network = new PlayedNetwork(clock, issuer, next)
    this.fetchKeys()
    this.#feed = this.#open()
  }

  get isCut(): boolean {
    return this.#feed.status().state !== 'current'
  }

  /** Whether a thief may still be believed, who told what is wrong. */
  get isDeceived(): boolean {
    if (this.isSound) this.#isDeceived = false
    return this.#isDeceived
  }

  /** Whether nothing has disturbed it for long enough. */
  get isSound(): boolean {
    return this.#network.weather === 'sound' && this.#now() - this.#soundSince > SOUND
  }

  /** Changes the network; a thief stays until the stolen key is revoked. */
  turn(weather: Weather): void {
    if (this.#network.weather === 'thief') return
    if (weather === 'sound' && this.#network.weather !== 'sound') this.disturbed()
    this.#network.weather = weather
  }

  /** Something happened from which it needs a moment to recover. */
  disturbed(): void {
    this.#soundSince = this.#now()
  }

  robbedBy(thief: Thief): void {
    this.#network.thief = thief
    this.#network.weather = 'thief'
    this.#isDeceived = true
  }

  /** The thief is gone. */
  freed(): void {
    if (this.#network.weather !== 'thief') return
    this.#network.weather = 'sound'
    this.disturbed()
  }

  restart(): void {
    this.close()
    this.#feed = this.#open()
    this.disturbed()
  }

  close(): void {
    this.#feed.close()
  }

  /** Fetches the key set, if it is wanted and possible now. */
  fetchKeys(): void {
    const { weather } = this.#network
    if (!this.#wantsKeys || this.#now() - this.#fetched < COOLDOWN || weather === 'cut' || weather === 'thief') return
    this.#held = new Map(this.#issuer.published.map((key) => [key.kid, key]))
    this.#fetched = this.#now()
    this.#wantsKeys = false
  }

  /** `accepted`, the code of the refusal, or `unheld` where its key set lacks the key. */
  verdict(mark: Mark): string {
    if (!this.#held.has(mark.kid)) {
      this.#wantsKeys = true
      return 'unheld'
    }
    try {
      this.#feed.checkEntries(mark)
      this.#feed.checkState(mark)
      return 'accepted'
    } catch (error) {
      return String((error as { code?: string }).code ?? error)
    }
  }

  #now(): number {
    return this.#clock.elapsed() / 1000
  }

  #open(): Feed {
    const { whenCut, bound } = this
    const feed = openFeed({ url: FEED_URL, whenCut, bound, clock: this.#clock, fetch: this.#network.fetch }) as Feed
    const wants = () => {
      this.#wantsKeys = true
    }
    const keys: KeySource = {
      held: (kid) => this.#held.get(kid),
      find: async (kid) => {
        if (!this.#held.has(kid)) wants()
        return this.#held.get(kid)
      },
      refresh: wants
    }
    feed.start({ issuer: ISSUER, audience: AUDIENCE, keys }, { told: () => {}, replaced: () => {}, changed: () => {} })
    return feed
  }
}
