import type { RevocationEntry } from '@latchkey/tokens/revocations'
import type { FakeFeedClock } from './fake-feed.ts'
import { forged, type PlayedIssuer, type PlayedKey, type PlayedQuestion, strangersKey } from './played-issuer.ts'

/** What a network may be like. With `thief`, whoever stole a key often answers in the issuer's place. */
export type Weather = 'sound' | 'cut' | 'slow' | 'lossy' | 'replays' | 'halves' | 'strangers' | 'thief'

/** A thief who tells that good sessions have ended, and never what has. */
export interface Thief {
  readonly key: PlayedKey
  lies(): RevocationEntry[]
}

/** The way from a receiver to the feed: it loses, delays, repeats and cuts, as its weather and a seed decide. */
export class PlayedNetwork {
  weather: Weather = 'sound'
  thief: Thief | undefined
  readonly #clock: FakeFeedClock
  readonly #next: () => number
  readonly #issuer: PlayedIssuer
  readonly #texts: string[] = []

  constructor(clock: FakeFeedClock, issuer: PlayedIssuer, next: () => number) {
    this.#clock = clock
    this.#issuer = issuer
    this.#next = next
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const ended = new Promise<never>((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
    })
    return Promise.race([this.#travel(new URL(String(input)).searchParams), ended])
  }

  async #travel(query: URLSearchParams): Promise<Response> {
    await this.#way()
    const question = { after: query.get('after'), nonce: String(query.get('nonce')) }
    if (this.weather === 'thief' && this.thief && this.#next() < 0.7) return this.#robbed(question, this.thief)
    await this.#issuer.wait(question.after, Number(query.get('wait')))
    const text = this.#issuer.answer(question)
    this.#texts.push(text)
    await this.#way()
    if (this.weather === 'replays') return new Response(this.#texts[Math.floor(this.#next() * this.#texts.length)])
    if (this.weather === 'strangers') {
      const key = strangersKey(this.#issuer.published[0].kid)
      return new Response(forged(question, [], { key, now: this.#issuer.now() }))
    }
    return new Response(this.weather === 'halves' ? text.slice(0, text.length / 2) : text)
  }

  async #robbed(question: PlayedQuestion, { key, lies }: Thief): Promise<Response> {
    await this.#sleep(this.#next())
    return new Response(forged(question, lies(), { key, now: this.#issuer.now() + 200 * (this.#next() - 0.5) }))
  }

  // One way over the network.
  async #way(): Promise<void> {
    if (this.weather === 'cut') throw new TypeError('fetch failed')
    const isLost = this.weather === 'lossy' && this.#next() < 0.4
    const slow = this.weather === 'slow' ? 4 * this.#next() : 0.05 * this.#next()
    await this.#sleep(isLost ? 1000 : slow)
  }

  #sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(seconds * 1000, resolve))
  }
}
