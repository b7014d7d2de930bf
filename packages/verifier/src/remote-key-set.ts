import { readFile } from 'node:fs/promises'
import { unavailable } from '@latchkey/tokens/errors'
import { readCacheFile, writeCacheFile } from './cache-file.ts'
import { type FetchSettings, fetchJwks, type JwksAnswer } from './fetch-jwks.ts'
import { readKeySet, type VerificationKey } from './jwk.ts'
import type { KeySet, KeySetLog } from './key-set.ts'

/** How a {@link RemoteKeySet} behaves. Times are seconds. */
export interface RemoteKeySetOptions {
  /** The issuer's JWK set. */
  readonly url: string
  /** A file that a fetched set is kept in and read from at the start, so that a restart does without the issuer. */
  readonly cacheFile?: string
  /** A JWK set that is used until the first one is fetched, and never after. */
  readonly seedFile?: string
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

/** The time, as a parameter: tests move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds of a clock that never steps. */
  elapsed(): number
  /** Calls back after so many milliseconds; returns what cancels it. */
  after(milliseconds: number, call: () => void): () => void
  /** A number from 0 up to 1, for jitter. */
  random(): number
}

const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after: (milliseconds, call) => {
    const timer = setTimeout(call, milliseconds).unref()
    return () => clearTimeout(timer)
  },
  random: Math.random
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
  readonly #options: Required<Omit<RemoteKeySetOptions, 'cacheFile' | 'seedFile' | 'fetch' | 'log'>>
  readonly #source: FetchSettings
  readonly #files: Pick<RemoteKeySetOptions, 'cacheFile' | 'seedFile'>
  readonly #log: KeySetLog
  #keys: ReadonlyMap<string, VerificationKey> = new Map()
  #goodAt = Number.NEGATIVE_INFINITY
  #etag: string | undefined
  #failures = 0
  #nextAllowed = 0
  #fetching = false
  #closed = false
  #cancelTimer = () => {}
  #waiting = 0
  #fetched = Promise.resolve()
  #tellFetched = () => {}

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
    this.#source = { url: options.url, timeout: this.#options.timeout, fetch }
    this.#files = { ...(cacheFile && { cacheFile }), ...(seedFile && { seedFile }) }
    this.#log = log
    this.#expectFetch()
  }

  /** Reads what was kept and begins the first fetch, without waiting for it. */
  static async open(options: RemoteKeySetOptions): Promise<RemoteKeySet> {
    const set = new RemoteKeySet(options)
    await set.#seed()
    set.#fetch()
    return set
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
    } else if (!this.#empty && this.#failures === 0) {
      // Published a moment ago, perhaps: the next fetch is allowed within the cooldown, and worth the wait.
      this.#schedule(this.#nextAllowed - clock.elapsed())
      await this.#wait()
    }
    const found = this.held(kid)
    // An old set cannot prove that a key does not exist, and clients throw tokens away on 401.
    if (!found && (this.#empty || this.#failures > 0)) {
      throw unavailable('no current key set', (this.#nextAllowed - clock.elapsed()) / 1000)
    }
    return found
  }

  unready(): string | undefined {
    return this.#empty ? `no key set from ${this.#options.url}` : undefined
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer()
  }

  get #empty(): boolean {
    const { clock, staleAge } = this.#options
    return clock.now() >= this.#goodAt + staleAge * 1000
  }

  async #wait(): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting += 1
    await this.#fetched
    this.#waiting -= 1
  }

  #expectFetch(): void {
    this.#fetched = new Promise((resolve) => {
      this.#tellFetched = resolve
    })
  }

  #schedule(milliseconds: number): void {
    this.#cancelTimer()
    if (!this.#closed) this.#cancelTimer = this.#options.clock.after(Math.max(0, milliseconds), () => this.#fetch())
  }

  async #fetch(): Promise<void> {
    if (this.#fetching) return
    this.#fetching = true
    this.#cancelTimer()
    const { clock } = this.#options
    const began = { now: clock.now(), elapsed: clock.elapsed() }
    try {
      this.#accept(await fetchJwks(this.#source, this.#etag), began)
    } catch (error) {
      this.#fail(error as Error)
    }
    this.#fetching = false
    this.#tellFetched()
    this.#expectFetch()
  }

  #accept(answer: JwksAnswer, began: { now: number; elapsed: number }): void {
    if (answer.text !== undefined) {
      const keys = this.#read(answer.text)
      if (!keys?.size) throw new Error('the answer holds no JWK set with a usable key')
      this.#keys = keys
    }
    const { minAge, maxAge, cooldown, clock } = this.#options
    this.#etag = answer.etag
    this.#goodAt = began.now
    this.#failures = 0
    this.#nextAllowed = began.elapsed + cooldown * 1000
    const age = Math.min(maxAge, Math.max(minAge, answer.maxAge ?? maxAge))
    this.#schedule(began.elapsed + age * 1000 * (0.75 + 0.15 * clock.random()) - clock.elapsed())
    this.#log.info({ url: this.#source.url, kids: [...this.#keys.keys()], age }, 'key set fetched')
    void this.#keep()
  }

  #fail(error: Error): void {
    const { clock } = this.#options
    this.#failures += 1
    const backoff = Math.min(LONGEST_BACKOFF, 2 ** (this.#failures - 1)) * (0.5 + 0.5 * clock.random())
    this.#nextAllowed = clock.elapsed() + backoff * 1000
    this.#schedule(backoff * 1000)
    const details = { url: this.#source.url, failures: this.#failures, retry_in: backoff, err: error }
    this.#log.warn(details, `key set not fetched: ${(error.cause as Error | undefined)?.message ?? error.message}`)
  }

  #read(text: string): Map<string, VerificationKey> | undefined {
    return readKeySet(text, this.#keys, (reason) => this.#log.warn({ url: this.#source.url }, reason))
  }

  async #seed(): Promise<void> {
    const { cacheFile, seedFile } = this.#files
    const now = this.#options.clock.now()
    const cached = cacheFile && (await readCacheFile(cacheFile, this.#source.url, now))
    const text = cached ? JSON.stringify(cached) : seedFile && (await readFile(seedFile, 'utf8'))
    const keys = text ? this.#read(text) : undefined
    if (!keys?.size) return
    this.#keys = keys
    this.#goodAt = cached ? cached.good_at : now
  }

  async #keep(): Promise<void> {
    const { cacheFile } = this.#files
    if (!cacheFile) return
    const keys = [...this.#keys.values()].map(({ jwk }) => jwk)
    try {
      await writeCacheFile(cacheFile, { url: this.#source.url, good_at: this.#goodAt, keys })
    } catch (error) {
      this.#log.warn({ path: cacheFile, err: error }, 'the key set could not be kept for a restart')
    }
  }
}
