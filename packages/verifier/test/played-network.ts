import { createHmac, randomUUID } from 'node:crypto'
import type { RevocationEntry, Revocations } from '@latchkey/tokens/revocations'
import { compact, type Members } from '../../testing/src/tokens.ts'
import type { VerificationKey } from '../src/jwk.ts'
import { type FakeFeedClock, ISSUER, ISSUER_ORIGIN, News, placeOf } from './fake-feed.ts'

// A signature that costs a microsecond: the simulation is about time, not about RSA.
const signer = (input: Buffer) => createHmac('sha256', 'played').update(input).digest()
/** The key of the played issuer. */
export const key: VerificationKey = {
  kid: 'played',
  jwk: { kty: 'RSA', n: '', e: '', kid: 'played' },
  verifies: (text) => {
    const end = text.lastIndexOf('.')
    return signer(Buffer.from(text.slice(0, end))).toString('base64url') === text.slice(end + 1)
  }
}

/** An issuer's feed behind a network that loses, delays, repeats and cuts, as its weather and a seed decide. */
export class PlayedNetwork {
  weather = 'sound'
  readonly #clock: FakeFeedClock
  readonly #next: () => number
  readonly #news: News
  readonly #rows: (RevocationEntry | undefined)[] = [undefined]
  readonly #texts: string[] = []

  constructor(clock: FakeFeedClock, next: () => number) {
    this.#clock = clock
    this.#next = next
    this.#news = new News(clock)
  }

  /** Adds an entry to the feed. */
  end(entry: RevocationEntry): void {
    this.#rows.push(entry)
    this.#news.tell()
  }

  #now(): number {
    return this.#clock.elapsed() / 1000
  }

  #sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(seconds * 1000, resolve))
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const ended = new Promise<never>((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
    })
    return Promise.race([this.#travel(new URL(String(input)).searchParams), ended])
  }

  async #travel(query: URLSearchParams): Promise<Response> {
    await this.#way()
    const after = query.get('after')
    const known = after === null ? -1 : Number(after.split('.')[0])
    if (known === this.#rows.length - 1) await this.#news.wait(Number(query.get('wait')))
    const text = this.#sign(known, after, String(query.get('nonce')))
    this.#texts.push(text)
    await this.#way()
    if (this.weather === 'replays')
      return new Response(this.#texts[Math.floor(this.#next() * this.#texts.length)] ?? '')
    return new Response(this.weather === 'halves' ? text.slice(0, text.length / 2) : text)
  }

  // One way over the network.
  async #way(): Promise<void> {
    if (this.weather === 'cut') throw new TypeError('fetch failed')
    const isLost = this.weather === 'lossy' && this.#next() < 0.4
    const slow = this.weather === 'slow' ? 4 * this.#next() : 0.05 * this.#next()
    await this.#sleep(isLost ? 1000 : slow)
  }

  #sign(known: number, after: string | null, nonce: string): string {
    const told = this.#rows.slice(known + 1, known + 1 + 20)
    const last = known + told.length
    const more = last < this.#rows.length - 1
    const claims: Revocations = {
      iss: ISSUER,
      iat: Math.floor(this.#now() + ISSUER_ORIGIN),
      nonces: [nonce, randomUUID()],
      after,
      to: placeOf(last),
      more,
      complete_at: more ? null : this.#now() + ISSUER_ORIGIN,
      entries: told.flatMap((entry) => (entry ? [entry] : []))
    }
    return compact({ alg: 'RS256', typ: 'revocations+jwt', kid: key.kid }, claims as unknown as Members, signer)
  }
}
