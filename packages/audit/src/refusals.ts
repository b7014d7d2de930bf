import type { Database } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import { recordOf, refusalOf } from './record.ts'
import { BOUNDS, type Bounds } from './refusal-bounds.ts'
import { type ClientRefused, RefusalCounts } from './refusal-counts.ts'
import { type Attempt, RefusalQueue } from './refusal-queue.ts'

/** Writes refusals to the audit log: beside the requests, and no more than its bounds allow. */
export interface Refusals {
  /** Takes a refusal; it is written a moment later. Never throws. */
  add(refused: ClientRefused): void
  /** Writes what is counted and what waits, in one last attempt, and logs what is lost. Never rejects. */
  close(): Promise<void>
  /** How many refusals wait to be written, as records or as counts. */
  readonly unwritten: number
}

/** What the writer of refusals needs. */
interface RefusalsParts {
  readonly database: Database
  readonly log: EventLog
  /** Milliseconds of a clock that only goes forward; by default the system's. */
  readonly now?: () => number
  readonly bounds?: Bounds
}

/** Milliseconds from the first refusal until it is written, with all that have come meanwhile. */
const BATCH = 100

/** Milliseconds until the next attempt while the database is away. */
const PAUSE = 1000

/**
 * Opens the writer of refusals. While the database is away at most 1,000 records wait. Its timer runs only while there is
 * something to do, and does not keep the process alive.
 */
export function createRefusals({
  database,
  log,
  now = performance.now.bind(performance),
  bounds = BOUNDS
}: RefusalsParts): Refusals {
  return new RefusalWriter({ database, log, now, bounds })
}

class RefusalWriter implements Refusals {
  readonly #log: EventLog
  readonly #now: () => number
  readonly #window: number
  readonly #counts: RefusalCounts
  readonly #queue: RefusalQueue
  #timer: NodeJS.Timeout | undefined
  #timerEnds = Number.POSITIVE_INFINITY
  #writing: Promise<void> | undefined
  /** When the records are written next, and when it is told what was left out: Infinity for never. */
  #writeAt = Number.POSITIVE_INFINITY
  #tellAt = Number.POSITIVE_INFINITY
  #isAway = false
  #isClosed = false

  constructor({ database, log, now, bounds }: Required<RefusalsParts>) {
    this.#log = log
    this.#now = now
    this.#window = bounds.window
    this.#counts = new RefusalCounts(now(), bounds)
    this.#queue = new RefusalQueue(database)
  }

  add(refused: ClientRefused): void {
    const now = this.#now()
    if (this.#isClosed) {
      this.#fail({ lost: 1, error: new Error('it came after the service was stopped') })
    } else {
      if (this.#counts.add(refused, now)) this.#write(refused)
      this.#plan(now)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#writing
    this.#writeRepeated(this.#now(), true)
    this.#tellOfLeftOut()
    const { lost, error } = await this.#queue.write()
    const all = lost + this.#queue.refusals + this.#counts.takeLeftOut()
    if (all > 0) this.#fail({ lost: all, error })
  }

  get unwritten(): number {
    return this.#queue.refusals + this.#counts.refusals
  }

  #write(refused: ClientRefused, repeated?: number): void {
    const { unless } = refused
    const record = refusalOf(refused, repeated)
    const isWaiting = this.#queue.add({
      record: unless ? { ...record, id: unless } : record,
      refusals: repeated ?? 1,
      isInDoubt: Boolean(unless)
    })
    if (!isWaiting) this.#counts.leaveOut(repeated ?? 1)
  }

  #writeRepeated(now: number, all = false): void {
    for (const { refused, repeated } of this.#counts.takeRepeated(now, all)) this.#write(refused, repeated)
  }

  // Left out goes into the log as an event of its own; while it cannot be written it is counted on.
  #tellOfLeftOut(): void {
    this.#tellAt = Number.POSITIVE_INFINITY
    const refusals = this.#counts.takeLeftOut()
    if (refusals === 0) return
    const isWaiting = this.#queue.add({
      record: recordOf('audit_left_out', { refusals }, {}),
      refusals,
      isInDoubt: false,
      written: () => emit(this.#log, 'audit_left_out', { refusals })
    })
    if (!isWaiting) this.#counts.leaveOut(refusals)
  }

  // Keeps one timer, for whatever comes first.
  #plan(now: number): void {
    if (this.#isClosed || this.#writing) return
    if (this.#queue.size > 0 && this.#writeAt === Number.POSITIVE_INFINITY) this.#writeAt = now + BATCH
    if (this.#counts.hasLeftOut) this.#tellAt = Math.min(this.#tellAt, now + this.#window)
    const next = Math.min(this.#writeAt, this.#tellAt, this.#counts.nextEnd)
    if (next >= this.#timerEnds) return
    clearTimeout(this.#timer)
    this.#timerEnds = next
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, next - now)).unref()
  }

  #tick(): void {
    const now = this.#now()
    this.#timerEnds = Number.POSITIVE_INFINITY
    this.#writeRepeated(now)
    if (now >= this.#tellAt) this.#tellOfLeftOut()
    if (this.#queue.size > 0 && (now >= this.#writeAt || this.#writeAt === Number.POSITIVE_INFINITY)) this.#begin()
    else this.#plan(now)
  }

  #begin(): void {
    this.#writeAt = Number.POSITIVE_INFINITY
    this.#writing = this.#queue.write().then((attempt) => {
      this.#writing = undefined
      this.#note(attempt)
      const now = this.#now()
      if (this.#isAway) this.#writeAt = now + PAUSE
      this.#plan(now)
    })
  }

  #note(attempt: Attempt): void {
    const isAway = attempt.error !== undefined && this.#queue.size > 0
    if (attempt.lost > 0 || (isAway && !this.#isAway)) this.#fail(attempt)
    this.#isAway = isAway
  }

  #fail({ lost, error }: Attempt): void {
    emit(this.#log, 'audit_failed', { waiting: this.#isClosed ? 0 : this.#queue.refusals, lost, err: error })
  }
}
