import type { Database } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import type { KeyRing } from '../keys/folder.ts'
import { ageOf, LONGEST_OFFER } from './age.ts'
import { type Verdict, waitAfter } from './judge.ts'
import { advance, type HeldStream, postponeStream, releaseStream } from './lease.ts'
import { type LogPlace, readOn } from './log.ts'
import { findPlace } from './place.ts'
import { push } from './push.ts'
import type { LoggedRecord } from './record.ts'
import { behind, isAhead, setsOf, signSet, type UnsignedSet } from './set.ts'

/** What the delivery of a stream needs. */
export interface DeliveryParts {
  readonly database: Database
  /** The keys that sign. */
  readonly access: KeyRing
  readonly issuer: string
  readonly log: EventLog
}

/**
 * Sends what a stream has not sent yet, one SET after the other, until the end of the log, a failure, or the stop of the
 * service; then it lets go of the stream. Nothing waits in memory: the log is the queue.
 *
 * Rejects if the database cannot be used, or no key may sign; the stream is free again when its lease ends.
 */
export function deliverStream(parts: DeliveryParts, stream: HeldStream, stopping: AbortSignal): Promise<void> {
  return new Delivery(parts, stream, stopping).run()
}

class Delivery {
  readonly #parts: DeliveryParts
  readonly #stream: HeldStream
  readonly #stopping: AbortSignal
  #place: LogPlace
  #failures: number
  /** What is lost and not noted yet. */
  #lost = 0

  constructor(parts: DeliveryParts, stream: HeldStream, stopping: AbortSignal) {
    this.#parts = parts
    this.#stream = stream
    this.#stopping = stopping
    this.#place = stream
    this.#failures = stream.failures
  }

  async run(): Promise<void> {
    const { database, log } = this.#parts
    const { place, lost } = await findPlace(database, log, this.#stream)
    this.#lost = lost
    if (place !== this.#stream && !(await this.#moveTo(place))) return
    for (let more = true; more && !this.#stopping.aborted; ) {
      const page = await readOn(database, this.#place)
      if (!(await this.#deliverAll(page.records))) return
      if (page.to.seq > this.#place.seq && !(await this.#moveTo(page.to))) return
      more = page.more
    }
    await releaseStream(database, this.#stream)
  }

  // Returns false if the stream is not held any more.
  async #deliverAll(records: readonly LoggedRecord[]): Promise<boolean> {
    const { access, issuer } = this.#parts
    const made = records.flatMap((record) => setsOf(record, this.#stream, issuer))
    const sets = made.filter((set) => isAhead(set, this.#place))
    const late = countLate(sets, Date.now())
    if (late > 0 && !(await this.#giveUp(sets.slice(0, late)))) return false
    for (const set of sets.slice(late)) {
      if (this.#stopping.aborted) return this.#release()
      const jws = await signSet(set, access)
      if (!(await this.#settle(set, await push(this.#stream, jws, this.#stopping)))) return false
    }
    return true
  }

  async #giveUp(sets: readonly UnsignedSet[]): Promise<boolean> {
    const last = sets.at(-1)
    if (!last) return true
    this.#lost += sets.length
    const isHeld = await this.#moveTo(behind(last))
    if (isHeld) emit(this.#parts.log, 'signals_given_up', { stream: this.#stream.id, sets: sets.length })
    return isHeld
  }

  async #settle(set: UnsignedSet, result: Verdict): Promise<boolean> {
    const { log } = this.#parts
    const names = { stream: this.#stream.id, jti: set.jti }
    const age = Math.round(ageOf(set.record, Date.now()) * 10) / 10
    if (result.verdict === 'later') return this.#postpone(result, { ...names, age })
    if (result.verdict === 'accepted') emit(log, 'signal_sent', { ...names, age })
    else emit(log, 'signal_refused', { ...names, code: result.code })
    return this.#moveTo(behind(set), result.verdict === 'accepted')
  }

  async #postpone({ reason, wait: least = 0 }: Later, names: { stream: string; jti: string; age: number }) {
    // The service ended the attempt itself.
    if (this.#stopping.aborted) return this.#release()
    const failures = this.#failures + 1
    emit(this.#parts.log, 'signal_retry', { ...names, reason, failures })
    const wait = Math.max(waitAfter(failures, Math.random()), least)
    await postponeStream(this.#parts.database, this.#stream, { wait, reason })
    return false
  }

  async #moveTo(place: LogPlace, accepted = false): Promise<boolean> {
    const isHeld = await advance(this.#parts.database, this.#stream, place, { accepted, lost: this.#lost })
    this.#place = place
    this.#lost = 0
    this.#failures = 0
    return isHeld
  }

  async #release(): Promise<false> {
    await releaseStream(this.#parts.database, this.#stream)
    return false
  }
}

type Later = Extract<Verdict, { verdict: 'later' }>

// How many were offered for too long. They come first: the log has the order of time, but for moments.
function countLate(sets: readonly UnsignedSet[], now: number): number {
  const first = sets.findIndex(({ record }) => ageOf(record, now) <= LONGEST_OFFER)
  return first < 0 ? sets.length : first
}
