import { unavailable } from '@latchkey/problems/problem'
import { reasonOf } from '@latchkey/problems/reason'
import { readTraceparent, type Traceparent } from '@latchkey/problems/traceparent'
import { writeCacheFile } from './cache-file.ts'
import { type Clock, SYSTEM_CLOCK } from './clock.ts'
import { type FetchSettings, fetchJwks, type JwksAnswer } from './fetch-jwks.ts'
import { FetchPolicy, type Moment } from './fetch-policy.ts'
import { type FirstKeyFiles, readFirstKeys } from './first-keys.ts'
import { readKeySet, type VerificationKey } from './jwk.ts'
import {
  type Asked,
  type KeySet,
  type KeySetCounts,
  type KeySetLog,
  type KeySetStatus,
  requireLog,
  SILENCE
} from './key-set.ts'
import { loggedUrl, requireFunctions, requireHttpUrl, requireNumbers, requireTexts } from './options.ts'
import type { RemoteKeySetOptions } from './remote-key-set-options.ts'

/** Most requests that wait for a fetch; further ones are answered from the current set. */
const MAX_WAITING = 100

/**
 * The JWK set of an issuer, kept and renewed by {@link FetchPolicy}.
 *
 * One fetch runs at a time. The timer starts it before the set expires, or a request that needs an unknown key. A good
 * answer replaces the whole set; a failed fetch leaves it.
 */
export class RemoteKeySet implements KeySet {
  readonly #policy: FetchPolicy
  readonly #source: FetchSettings
  /** The URL for the log. */
  readonly #url: string
  readonly #files: FirstKeyFiles
  readonly #log: KeySetLog
  readonly #clock: Clock
  readonly #closing = new AbortController()
  #keys: ReadonlyMap<string, VerificationKey> = new Map()
  #etag: string | undefined
  #fetching = false
  /** Whether another fetch was asked for while one was running, which may have begun before the change. */
  #again = false
  #timer = { at: Number.POSITIVE_INFINITY, cancel: () => {} }
  #waiting: (() => void)[] = []
  readonly #counts = { fetched: 0, failed: 0, unknown: 0 }

  private constructor(options: RemoteKeySetOptions) {
    const { url, file, cacheFile, timeout = 3, log = SILENCE } = options
    const { fetch = globalThis.fetch, clock = SYSTEM_CLOCK } = options
    requireHttpUrl(url)
    requireNumbers({ timeout: [timeout, 0.001, 3600] })
    requireFunctions({ fetch })
    this.#clock = clock
    this.#policy = new FetchPolicy(options, clock)
    this.#source = { url, timeout, fetch, clock, closing: this.#closing.signal }
    this.#url = loggedUrl(url)
    this.#files = { ...(cacheFile !== undefined && { cacheFile }), ...(file !== undefined && { file }) }
    requireTexts({ ...this.#files })
    requireLog(log)
    this.#log = log
  }

  /** Reads the kept keys and starts the first fetch, without waiting for it. Throws if a seed file is no key set. */
  static async open(options: RemoteKeySetOptions): Promise<RemoteKeySet> {
    const set = new RemoteKeySet(options)
    const context = { url: set.#source.url, now: set.#clock.now(), log: set.#log }
    const first = await readFirstKeys(set.#files, context)
    if (first) [set.#keys, set.#policy.goodAt] = [first.keys, first.goodAt]
    set.#fetch()
    return set
  }

  held(kid: string): VerificationKey | undefined {
    return this.#policy.state === 'empty' ? undefined : this.#keys.get(kid)
  }

  async find(kid: string, asked?: Asked): Promise<VerificationKey | undefined> {
    const known = this.held(kid)
    if (known) return known
    this.#counts.unknown += 1
    const demand = this.#fetching ? 'wait' : this.#policy.demand()
    if (demand === 'fetch') this.#fetch(readTraceparent(asked?.traceparent))
    if (demand !== 'answer') await this.#wait()
    return this.lookUp(kid)
  }

  lookUp(kid: string): VerificationKey | undefined {
    const found = this.held(kid)
    // An old set cannot prove that a key does not exist, and clients throw tokens away on 401.
    if (!found && (this.#policy.state !== 'good' || this.#closing.signal.aborted)) {
      throw unavailable('no current key set', Math.max(0, this.#policy.nextAllowed - this.#clock.elapsed()) / 1000)
    }
    return found
  }

  refresh(): void {
    this.#again = this.#fetching
    if (!this.#fetching) this.#schedule(Math.min(this.#timer.at, this.#policy.nextAllowed))
  }

  status(): KeySetStatus {
    const { state, goodAt, failures } = this.#policy
    const nextFetch = Math.max(0, this.#timer.at - this.#clock.elapsed()) / 1000
    return {
      state,
      kids: state === 'empty' ? [] : [...this.#keys.keys()],
      ...(Number.isFinite(goodAt) && { goodAt, age: (this.#clock.now() - goodAt) / 1000 }),
      failures,
      ...(Number.isFinite(nextFetch) && { nextFetch })
    }
  }

  counts(): KeySetCounts {
    return { ...this.#counts }
  }

  unready(): string | undefined {
    return this.#policy.state === 'empty' ? `no key set from ${this.#url}` : undefined
  }

  close(): void {
    this.#closing.abort()
    this.#timer.cancel()
    this.#timer.at = Number.POSITIVE_INFINITY
    this.#wake()
  }

  async #wait(): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING || this.#closing.signal.aborted) return
    const woken = new Promise<void>((wake) => this.#waiting.push(wake))
    if (!this.#fetching) this.#schedule(Math.min(this.#timer.at, this.#policy.nextAllowed))
    await woken
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
    this.#schedule(this.#timer.at)
  }

  // The timer keeps the process alive only while a request waits: otherwise a script would end in the middle of its
  // await.
  #schedule(at: number): void {
    this.#timer.cancel()
    if (this.#closing.signal.aborted) return
    const wait = Math.max(0, at - this.#clock.elapsed())
    this.#timer = { at, cancel: this.#clock.after(wait, () => this.#fetch(), this.#waiting.length > 0) }
  }

  async #fetch(trace?: Traceparent): Promise<void> {
    if (this.#fetching || this.#closing.signal.aborted) return
    this.#fetching = true
    const began = { now: this.#clock.now(), elapsed: this.#clock.elapsed() }
    try {
      this.#accept(await fetchJwks(this.#source, this.#etag, trace), began)
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#fail(error as Error)
    }
    this.#fetching = false
    this.#wake()
    if (this.#again) this.refresh()
  }

  #accept(answer: JwksAnswer, began: Moment): void {
    const url = this.#url
    if (answer.text !== undefined) {
      const keys = readKeySet(answer.text, this.#keys, (reason) => this.#log.warn({ url }, reason))
      if (!keys?.size) throw new Error('the answer holds no JWK set with a usable key')
      this.#keys = keys
    }
    this.#counts.fetched += 1
    this.#etag = answer.etag
    this.#schedule(this.#policy.succeeded(began, answer.maxAge))
    this.#log.info({ url, ...this.status() }, 'key set fetched')
    void this.#keep()
  }

  #fail(error: Error): void {
    this.#counts.failed += 1
    this.#schedule(this.#policy.failed())
    const reason = reasonOf(error.cause ?? error)
    this.#log.warn({ url: this.#url, ...this.status(), err: error }, `key set not fetched: ${reason}`)
  }

  async #keep(): Promise<void> {
    const { cacheFile: path } = this.#files
    if (!path) return
    const keys = [...this.#keys.values()].map(({ jwk }) => jwk)
    await writeCacheFile(path, { url: this.#source.url, good_at: this.#policy.goodAt, keys }).catch((error) =>
      this.#log.warn({ path, err: error }, 'the key set could not be kept for a restart')
    )
  }
}
