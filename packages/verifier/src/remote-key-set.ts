import { unavailable } from '@latchkey/tokens/errors'
import { writeCacheFile } from './cache-file.ts'
import { type Clock, SYSTEM_CLOCK } from './clock.ts'
import { type FetchSettings, fetchJwks, type JwksAnswer } from './fetch-jwks.ts'
import { type FirstKeyFiles, readFirstKeys } from './first-keys.ts'
import { readKeySet, type VerificationKey } from './jwk.ts'
import type { KeySet, KeySetLog } from './key-set.ts'

/** How a {@link RemoteKeySet} behaves. Times are seconds. */
export interface RemoteKeySetOptions extends FirstKeyFiles {
  /** The issuer's JWK set. */
  readonly url: string
  /** Shortest and longest time until the set is fetched again, whatever the issuer's max-age says. 30 and 600. */
  readonly minAge?: number
  readonly maxAge?: number
  /** A set that could not be renewed for so long is no longer believed: every token gets 503. 86,400. */
  readonly staleAge?: number
  /** Least time between two fetches that unknown keys cause: a flood of them costs the issuer no more. 5. */
  readonly cooldown?: number
  /** Longest wait for the whole answer of the issuer. 3. */
  readonly timeout?: number
  readonly log: KeySetLog
  readonly fetch?: typeof globalThis.fetch
  readonly clock?: Clock
}

/** Requests that may wait for a fetch at a time; one more gets its answer from what is known. */
const MAX_WAITING = 100
const LONGEST_BACKOFF = 15

/**
 * The JWK set of an issuer, held and renewed: a state machine whose numbers are {@link RemoteKeySetOptions}.
 *
 * One fetch at a time, begun by the timer ahead of expiry or on demand for an unknown key, and on demand not before
 * `nextAllowed`: a cooldown after a good fetch, a back-off after a failed one. A good set replaces the old one whole; a
 * failed fetch leaves it. Without a set, or with one older than `staleAge`, it is empty and nothing can be verified.
 */
export class RemoteKeySet implements KeySet {
  readonly #options: Required<Omit<RemoteKeySetOptions, keyof FirstKeyFiles | 'fetch' | 'log'>>
  readonly #source: FetchSettings
  readonly #files: FirstKeyFiles
  readonly #log: KeySetLog
  readonly #closing = new AbortController()
  #keys: ReadonlyMap<string, VerificationKey> = new Map()
  /** When the fetch began that brought the set: wall clock, because it outlives the process in the cache file. */
  #goodAt = Number.NEGATIVE_INFINITY
  #etag: string | undefined
  #lastFetchGood = false
  #failures = 0
  #nextAllowed = 0
  #fetching = false
  #timer = { at: Number.POSITIVE_INFINITY, cancel: () => {} }
  #waiting: (() => void)[] = []

  private constructor({ cacheFile, seedFile, fetch = globalThis.fetch, log, ...options }: RemoteKeySetOptions) {
    this.#options = {
      minAge: 30,
      maxAge: 600,
      staleAge: 86_400,
      cooldown: 5,
      timeout: 3,
      clock: SYSTEM_CLOCK,
      ...options
    }
    this.#source = { url: options.url, timeout: this.#options.timeout, fetch, closing: this.#closing.signal }
    this.#files = { ...(cacheFile && { cacheFile }), ...(seedFile && { seedFile }) }
    this.#log = log
  }

  /** Reads what was kept and begins the first fetch, without waiting for it. Throws when a seed file is no key set. */
  static async open(options: RemoteKeySetOptions): Promise<RemoteKeySet> {
    const set = new RemoteKeySet(options)
    await set.#begin()
    set.#fetch()
    return set
  }

  async #begin(): Promise<void> {
    const { url, clock } = this.#options
    const first = await readFirstKeys(this.#files, { url, now: clock.now(), log: this.#log })
    if (first) [this.#keys, this.#goodAt] = [first.keys, first.goodAt]
  }

  held(kid: string): VerificationKey | undefined {
    return this.#empty ? undefined : this.#keys.get(kid)
  }

  async find(kid: string): Promise<VerificationKey | undefined> {
    const known = this.held(kid)
    if (known) return known
    const { clock } = this.#options
    if (this.#fetching) await this.#wait()
    else if (clock.elapsed() >= this.#nextAllowed) {
      this.#fetch()
      await this.#wait()
    } else if (this.#current) {
      // Published a moment ago, perhaps: the next fetch is allowed within the cooldown, and worth the wait.
      if (this.#nextAllowed < this.#timer.at) this.#schedule(this.#nextAllowed)
      await this.#wait()
    }
    const found = this.held(kid)
    // An old set cannot prove that a key does not exist, and clients throw tokens away on 401.
    if (!found && !this.#current) {
      throw unavailable('no current key set', (this.#nextAllowed - clock.elapsed()) / 1000)
    }
    return found
  }

  unready(): string | undefined {
    return this.#empty ? `no key set from ${this.#options.url}` : undefined
  }

  close(): void {
    this.#closing.abort()
    this.#timer.cancel()
    this.#wake()
  }

  get #empty(): boolean {
    const { clock, staleAge } = this.#options
    return clock.now() >= this.#goodAt + staleAge * 1000
  }

  get #current(): boolean {
    return this.#lastFetchGood && !this.#empty && !this.#closing.signal.aborted
  }

  async #wait(): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING || this.#closing.signal.aborted) return
    await new Promise<void>((wake) => this.#waiting.push(wake))
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #schedule(at: number): void {
    this.#timer.cancel()
    if (this.#closing.signal.aborted) return
    const { clock } = this.#options
    this.#timer = { at, cancel: clock.after(Math.max(0, at - clock.elapsed()), () => this.#fetch()) }
  }

  async #fetch(): Promise<void> {
    if (this.#fetching || this.#closing.signal.aborted) return
    this.#fetching = true
    const { clock } = this.#options
    const began = { now: clock.now(), elapsed: clock.elapsed() }
    try {
      this.#accept(await fetchJwks(this.#source, this.#etag), began)
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#fail(error as Error)
    }
    this.#fetching = false
    this.#wake()
  }

  #accept(answer: JwksAnswer, began: { now: number; elapsed: number }): void {
    if (answer.text !== undefined) {
      const keys = readKeySet(answer.text, this.#keys, (reason) => this.#log.warn({ url: this.#source.url }, reason))
      if (!keys?.size) throw new Error('the answer holds no JWK set with a usable key')
      this.#keys = keys
    }
    const { minAge, maxAge, cooldown, clock } = this.#options
    this.#etag = answer.etag
    this.#goodAt = began.now
    this.#lastFetchGood = true
    this.#failures = 0
    this.#nextAllowed = began.elapsed + cooldown * 1000
    const age = Math.min(maxAge, Math.max(minAge, answer.maxAge ?? maxAge))
    this.#schedule(began.elapsed + age * 1000 * (0.75 + 0.15 * clock.random()))
    this.#log.info({ url: this.#source.url, kids: [...this.#keys.keys()], age }, 'key set fetched')
    void this.#keep()
  }

  #fail(error: Error): void {
    const { clock } = this.#options
    this.#lastFetchGood = false
    this.#failures += 1
    const backoff = Math.min(LONGEST_BACKOFF, 2 ** (this.#failures - 1)) * (0.5 + 0.5 * clock.random())
    this.#nextAllowed = clock.elapsed() + backoff * 1000
    this.#schedule(this.#nextAllowed)
    const details = { url: this.#source.url, failures: this.#failures, retry_in: backoff, err: error }
    this.#log.warn(details, `key set not fetched: ${(error.cause as Error | undefined)?.message || error.message}`)
  }

  async #keep(): Promise<void> {
    const { cacheFile: path } = this.#files
    if (!path) return
    const keys = [...this.#keys.values()].map(({ jwk }) => jwk)
    await writeCacheFile(path, { url: this.#source.url, good_at: this.#goodAt, keys }).catch((error) =>
      this.#log.warn({ path, err: error }, 'the key set could not be kept for a restart')
    )
  }
}
