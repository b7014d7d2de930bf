import { link, type SealedRecord, textOf } from './chain.ts'

/** A place in the chain: the number and hash of a record. Without a hash, the next record cannot be checked. */
export interface Point {
  readonly seq: number
  readonly hash: Buffer | null
}

/** How a record stands to the hash before it; after a gap, that hash is unknown. */
export type Standing = 'right' | 'wrong' | 'unchecked'

/** A record beside what was computed for it. */
export interface Seen {
  readonly record: SealedRecord
  readonly standing: Standing
  /** The hash that it should have; null where it cannot be checked. */
  readonly expected: Buffer | null
}

/** Neighbours that are not right. */
export interface Run {
  readonly from: number
  to: number
  readonly firstId: string
  lastId: string
  readonly standing: Standing
  /** The number before the first, and its hash. */
  readonly before: Point
}

/** Most runs that are kept; what is wrong beyond them is only counted. */
const MOST_RUNS = 1000

/**
 * Follows the chain from record to record. After a wrong record it goes on with the stored hash, so that only this one
 * is wrong.
 */
export class Walk {
  readonly runs: Run[] = []
  /** Records that are wrong beyond the kept runs. */
  beyond = 0
  records = 0
  readonly begin: Point
  #at: Point
  #before: Point
  readonly #tell: (fault: string) => void
  /** The record of {@link #at}; nothing before the first. */
  #last: Seen | undefined

  /** `tell` gets the missing and doubled records. */
  constructor(begin: Point, tell: (fault: string) => void) {
    this.begin = begin
    this.#at = begin
    this.#before = begin
    this.#tell = tell
  }

  /** The last record that was seen, or the beginning. */
  get end(): Point {
    return this.#at
  }

  /** Takes the next record, in the order of numbers. */
  step(record: SealedRecord): Seen {
    this.records += 1
    if (this.#last && record.seq === this.#at.seq) return this.#again(record, this.#last.record)
    if (record.seq > this.#at.seq + 1) {
      this.#tell(missing(this.#at.seq + 1, record.seq - 1))
      return this.#take(record, { seq: record.seq - 1, hash: null })
    }
    return this.#take(record, this.#at)
  }

  #take(record: SealedRecord, after: Point): Seen {
    const expected = after.hash && link(after.hash, textOf(record))
    const standing = expected === null ? 'unchecked' : expected.equals(record.hash) ? 'right' : 'wrong'
    if (standing !== 'right') this.#note(record, standing)
    this.#before = after.hash ? after : { seq: this.#at.seq, hash: this.#at.hash }
    this.#at = { seq: record.seq, hash: record.hash }
    this.#last = { record, standing, expected }
    return this.#last
  }

  // Which of two records of one number was sealed, is the one that fits.
  #again(record: SealedRecord, other: SealedRecord): Seen {
    const expected = this.#before.hash && link(this.#before.hash, textOf(record))
    const fits = this.#last?.standing !== 'right' && expected?.equals(record.hash) === true
    const [sealed, intruder] = fits ? [record, other] : [other, record]
    this.#tell(`record ${record.seq} is there twice, as ${sealed.id} and ${intruder.id}: ${intruder.id} was inserted`)
    if (!fits) return { record, standing: 'wrong', expected }
    this.#forget(other.seq)
    this.#at = { seq: record.seq, hash: record.hash }
    this.#last = { record, standing: 'right', expected }
    return this.#last
  }

  #note({ seq, id }: SealedRecord, standing: Standing): void {
    const run = this.runs.at(-1)
    if (run?.standing === 'wrong' && standing === 'wrong' && run.to === seq - 1) {
      run.to = seq
      run.lastId = id
    } else if (this.runs.length < MOST_RUNS) {
      this.runs.push({ from: seq, to: seq, firstId: id, lastId: id, standing, before: this.#at })
    } else if (standing === 'wrong') {
      this.beyond += 1
    }
  }

  #forget(seq: number): void {
    const run = this.runs.at(-1)
    if (run?.to !== seq) return
    if (run.from === seq) this.runs.pop()
    else run.to = seq - 1
  }
}

/** Says that records are missing. */
export function missing(from: number, to: number): string {
  return from === to
    ? `record ${from} is missing: it was removed, or got another number`
    : `records ${from} to ${to} are missing: they were removed, or got other numbers`
}
