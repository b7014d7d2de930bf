import { randomBytes } from 'node:crypto'
import { reasonOf } from '@latchkey/problems/reason'
import { loggedUrl } from '../options.ts'
import { type Answer, readAnswer } from './answer.ts'
import { askFeed, FeedRefusal } from './ask.ts'
import { Cache } from './cache.ts'
import { Freshness } from './freshness.ts'
import { Knowledge } from './knowledge.ts'
import { Lags } from './lags.ts'
import { Pace } from './pace.ts'
import { type Outcome, Reading } from './reading.ts'
import type { FeedSettings } from './settings.ts'
import type { FeedListener, FeedOwner, FeedStatus } from './status.ts'
import { SteadyClock } from './steady-clock.ts'
import { Telling } from './telling.ts'

/** Shortest time from one question to the next, in milliseconds. */
const LEAST_PAUSE = 50

/** Asks the feed of one issuer again and again. {@link Reading} says what the answers mean, {@link Freshness} how long they count. */
export class Receiver {
  readonly freshness: Freshness
  readonly reading: Reading
  readonly steady: SteadyClock
  readonly #listener: FeedListener
  readonly #settings: FeedSettings
  readonly #owner: FeedOwner
  readonly #pace: Pace
  readonly #telling: Telling
  readonly #cache: Cache
  readonly #closing = new AbortController()
  #isComplete = false
  #stop = { pause: () => {}, cut: () => {} }
  #received = 0
  readonly #lags = new Lags()

  /** Reads the cache file. `run` starts the questions. */
  constructor(settings: FeedSettings, owner: FeedOwner, listener: FeedListener) {
    const { url, bound, whenCut, maxEntries, clock, log } = settings
    this.#settings = settings
    this.#owner = owner
    this.#listener = listener
    this.steady = new SteadyClock(clock)
    this.freshness = new Freshness(whenCut, bound * 1000)
    this.#pace = new Pace(bound, clock)
    this.#telling = new Telling(log, whenCut)
    this.#cache = new Cache(settings, owner.issuer, this.steady)
    const isHeld = (kid: string) => owner.keys.held(kid) !== undefined
    this.reading = new Reading(this.#cache.read() ?? new Knowledge(), maxEntries, isHeld)
    log.info({ url: loggedUrl(url), whenCut, bound, entries: this.reading.known.size }, 'the revocation feed is opened')
  }

  status(): FeedStatus {
    const now = this.steady.now()
    const { known } = this.reading
    const age = this.freshness.age(now)
    return {
      state: this.freshness.state(now),
      ...(Number.isFinite(age) && { age: age / 1000 }),
      entries: known.size,
      ...(known.place !== null && { place: known.place }),
      received: this.#received,
      ...this.#lags.summary(),
      failures: this.#pace.failures
    }
  }

  /** Ends the questions; resolves when the cache file is written. */
  close(): Promise<void> {
    this.#closing.abort()
    this.#stop.pause()
    this.#stop.cut()
    return this.#cache.close()
  }

  /** Asks until it is closed. */
  async run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const sent = this.steady.now()
      const seconds = await this.#ask(sent).catch((error) => this.#failed(error))
      await this.#pause(Math.max(seconds * 1000, sent + LEAST_PAUSE - this.steady.now()))
    }
  }

  // Returns how many seconds to pause.
  async #ask(sent: number): Promise<number> {
    const { url, fetch, clock, headers } = this.#settings
    const { issuer, audience, keys } = this.#owner
    const { after } = this.reading
    const nonce = randomBytes(16).toString('base64url')
    const times = this.#pace.next(this.freshness.state(sent), this.#isComplete)
    this.#isComplete = false
    const endpoint = { url, fetch, clock, closing: this.#closing.signal, headers: headers(audience) }
    const { text, retryAfter } = await askFeed(endpoint, { after, nonce, ...times })
    const answer = await readAnswer(text, { issuer, nonce, after, keys })
    if (this.#closing.signal.aborted) return 0
    if (after !== null && answer.after === null) {
      this.#telling.warn(
        { place: after },
        'the revocation feed lacks our place and began anew: we asked too long ago, or its database lost commits'
      )
    }
    const outcome = this.reading.take(answer, this.#second())
    this.#took(answer, outcome, sent)
    if (outcome === 'disbelieved' || outcome === 'full') throw new Error(REASONS[outcome])
    return this.#pace.answered(retryAfter)
  }

  #took(answer: Answer, outcome: Outcome, sent: number): void {
    const { entries, unknown } = answer
    for (const kind of unknown) {
      this.#telling.once({ kind }, 'the revocation feed has entries of a kind that this version does not know')
    }
    if (outcome === 'anew' || outcome === 'disbelieved') this.#owner.keys.refresh?.()
    if (outcome === 'full') this.freshness.isFull = true
    else if (outcome !== 'disbelieved') this.#pace.failures = 0
    this.#received += entries.length
    if (outcome === 'replaced') this.#listener.replaced()
    else if (entries.length > 0) this.#listener.told(entries)
    if (outcome === 'complete' || outcome === 'replaced') this.#completed(answer, sent)
    if (this.reading.isAnew) this.#cache.forget()
    else if (entries.length > 0 || outcome === 'replaced') this.#cache.keep(this.reading.known)
    this.#warnOfSize()
    if (outcome !== 'full' && outcome !== 'disbelieved') this.#tell()
  }

  #completed({ entries, complete_at: completeAt }: Answer, sent: number): void {
    if (completeAt === null) return
    this.#isComplete = true
    this.freshness.isFull = false
    this.freshness.answered(sent, completeAt * 1000)
    if (entries.length > 0) this.#lags.add(this.#settings.clock.now() / 1000 - completeAt)
    this.reading.known.sweep(this.#second())
    this.#cutLater()
  }

  #failed(error: unknown): number {
    if (this.#closing.signal.aborted) return 0
    this.#isComplete = false
    const pause = this.#pace.failed(error instanceof FeedRefusal ? error.retryAfter : 0)
    const cause = error instanceof Error ? (error.cause ?? error) : error
    this.#tell(reasonOf(cause))
    return pause
  }

  #tell(reason?: string): void {
    const now = this.steady.now()
    if (this.#telling.state(this.freshness.state(now), this.status(), now, reason)) this.#listener.changed()
  }

  // The change is told when it happens, also while a question waits.
  #cutLater(): void {
    this.#stop.cut()
    const left = this.freshness.untilCut(this.steady.now())
    this.#stop.cut = this.#settings.clock.after(left, () => this.#tell('no complete answer came within the bound'))
  }

  #warnOfSize(): void {
    const { maxEntries } = this.#settings
    const { size } = this.reading.known
    if (size > maxEntries / 2) this.#telling.once({ maxEntries }, 'the revocation feed fills half of maxEntries')
  }

  #second(): number {
    return Math.ceil(this.steady.now() / 1000)
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0 || this.#closing.signal.aborted) return
    await new Promise<void>((resolve) => {
      const cancel = this.#settings.clock.after(milliseconds, resolve)
      this.#stop.pause = () => {
        cancel()
        resolve()
      }
    })
  }
}

const REASONS = {
  disbelieved: 'the answer is signed by a key that was revoked',
  full: 'there is no room for more entries: raise maxEntries'
} as const
