import { emit } from '@latchkey/events/emit'
import { type Background, runInBackground } from '@latchkey/frame/background'
import { Problem, unavailable } from '@latchkey/problems/problem'
import type { FastifyBaseLogger } from 'fastify'
import type { FeedSource } from '../revocations/source.ts'
import { admit, BETWEEN_PAGES, BETWEEN_PASSES, type Limits, timesOf } from './rule.ts'
import type { Teller } from './tell.ts'
import { type Question, Waiting } from './waiting.ts'

/** What somebody asks the feed; `wait` is in milliseconds. */
export interface Asked extends Pick<Question, 'after' | 'nonce' | 'client'> {
  readonly wait: number
}

/** Gets the answer to a question, once. */
export interface Asker {
  /** `isCrowded` tells that too many wait, so that the receiver should not ask again at once. */
  answer(text: Buffer, isCrowded: boolean): void
  refuse(problem: Problem): void
}

/** The revocation feed of this instance: who asks waits here until there is something to tell. */
export interface Feed {
  /** Puts a question. Returns a function that takes it back, for a client that has gone. */
  ask(asked: Asked, asker: Asker): () => void
  /** To be called after a change of this instance was committed: it is told at once. */
  noticed(): void
  /** How many questions wait. */
  readonly waiting: number
}

/** What the feed is made of. */
export interface FeedParts {
  readonly source: FeedSource
  readonly teller: Teller
  readonly limits: Limits
  readonly log: FastifyBaseLogger
  /** Aborted when the service stops: all that wait are refused at once. */
  readonly closing: AbortSignal
  /** Milliseconds of a clock that only goes forward; by default the system's. */
  readonly now?: () => number
}

/** Pause of a feed that nobody asks, in milliseconds; a question ends it. */
const IDLE = 60_000

/** Pause after a failure, in milliseconds. */
const AFTER_FAILURE = 500

/** Least time between two looks because of this instance's own changes, in milliseconds. */
const BETWEEN_OWN_LOOKS = 25

/** Opens the feed. It asks the database nothing while nobody waits. */
export function openFeed(parts: FeedParts): Feed {
  return new WaitingFeed(parts)
}

class WaitingFeed implements Feed {
  readonly #parts: Required<FeedParts>
  readonly #waiting = new Waiting()
  readonly #background: Background
  #passed = Number.NEGATIVE_INFINITY
  #looked = Number.NEGATIVE_INFINITY
  /** Nothing is done before this time. */
  #notBefore = Number.NEGATIVE_INFINITY
  #isNoticed = false
  #isAway = false

  constructor(parts: FeedParts) {
    this.#parts = { now: performance.now.bind(performance), ...parts }
    this.#background = runInBackground({
      run: () => this.#turn(),
      failed: (error) => this.#fail(error),
      first: 0,
      pause: () => this.#pause()
    })
    parts.closing.addEventListener('abort', () => {
      void this.#background.close()
      this.#waiting.refuse(unavailable('the service stops'))
    })
  }

  get waiting(): number {
    return this.#waiting.size
  }

  ask({ wait, ...asked }: Asked, asker: Asker): () => void {
    const { closing, limits, now } = this.#parts
    if (closing.aborted) throw unavailable('the service stops')
    const crowd = this.#waiting.crowdOf(asked.client)
    const place = admit(crowd, limits)
    if (place === 'all') throw unavailable('too many questions wait')
    if (place === 'client') throw new Problem('too_many_requests', { retryAfter: 1 })
    const isCrowded = place === 'next'
    const times = timesOf({ wait: isCrowded ? 0 : wait, waiting: crowd.waiting, now: now() })
    const question: Question = {
      ...asked,
      ...times,
      answer: (text) => asker.answer(text, isCrowded),
      refuse: asker.refuse
    }
    this.#waiting.add(question)
    void this.#background.runNow()
    return () => void this.#waiting.remove(question)
  }

  noticed(): void {
    if (this.#waiting.size === 0) return
    this.#isNoticed = true
    void this.#background.runNow()
  }

  async #turn(): Promise<void> {
    const { teller, now } = this.#parts
    if (now() < this.#notBefore) return
    const behind = this.#due().filter(({ after }) => teller.isFarBehind(after))
    if (behind.length > 0) {
      this.#notBefore = now() + BETWEEN_PAGES
      await teller.tell(this.#waiting, behind, undefined)
    }
    if (now() >= this.#passed + BETWEEN_PASSES && (this.#due().length > 0 || (await this.#look()))) await this.#pass()
  }

  async #look(): Promise<boolean> {
    const { source, teller, now } = this.#parts
    if (now() < this.#nextLook()) return false
    this.#isNoticed = false
    this.#looked = now()
    return source.look(teller.seq)
  }

  // Who asks meanwhile is answered by the next pass: this one may not have seen what was committed before they asked.
  async #pass(): Promise<void> {
    const { source, teller, now } = this.#parts
    const { last } = this.#waiting
    this.#passed = now()
    const pass = await source.pass()
    await teller.note(pass)
    await teller.tell(this.#waiting, this.#waiting.due(now(), teller.head, last), pass)
    if (this.#isAway) this.#parts.log.info('the revocation feed answers again')
    this.#isAway = false
  }

  #due(): Question[] {
    return this.#waiting.due(this.#parts.now(), this.#parts.teller.head)
  }

  #nextLook(): number {
    // Before, nobody could be told.
    const { earliest } = this.#waiting
    return Math.max(earliest, this.#looked + (this.#isNoticed ? BETWEEN_OWN_LOOKS : BETWEEN_PASSES))
  }

  #pause(): number {
    if (this.#waiting.size === 0) return IDLE
    const { teller, now } = this.#parts
    const isBehind = this.#due().some(({ after }) => teller.isFarBehind(after))
    const next = Math.max(this.#passed + BETWEEN_PASSES, Math.min(this.#nextLook(), this.#waiting.nextDue(teller.head)))
    return Math.max(0, (isBehind ? this.#notBefore : Math.max(next, this.#notBefore)) - now())
  }

  // One line for all: each question that has to be answered now gets its 503, the others go on waiting.
  #fail(error: unknown): void {
    const { log, now } = this.#parts
    const isExpected = error instanceof Problem && error.code === 'unavailable'
    if (!isExpected) emit(log, 'failed', { code: 'internal_error', err: error as Error }, 'the revocation feed failed')
    else if (!this.#isAway) log.warn({ err: error }, 'the revocation feed answers 503')
    this.#isAway = true
    this.#notBefore = now() + AFTER_FAILURE
    this.#waiting.refuse(unavailable('the feed cannot be told now'), this.#due())
  }
}
