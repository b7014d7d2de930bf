import type { Database } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'
import type { NewRecord } from './record.ts'
import { writeRefusals } from './write.ts'

/** A record that waits to be written. */
export interface Waiting {
  readonly record: NewRecord
  /** How many refusals it tells of. */
  readonly refusals: number
  /** Whether another transaction, whose end is not known, may write a record of this id. */
  readonly isInDoubt: boolean
  /** Called once it is written. */
  written?(): void
}

/** What came of an attempt to write. */
export interface Attempt {
  /** The refusals that can never be written. */
  readonly lost: number
  /** Why not all was written, now or ever. */
  readonly error?: unknown
}

/** Most records that wait while the database is away. */
const MOST = 1000

/** Records that wait for the database, written in the order of their coming, many in one statement. */
export class RefusalQueue {
  readonly #database: Database
  #waiting: Waiting[] = []

  constructor(database: Database) {
    this.#database = database
  }

  get size(): number {
    return this.#waiting.length
  }

  /** How many refusals the waiting records tell of. */
  get refusals(): number {
    return this.#waiting.reduce((sum, { refusals }) => sum + refusals, 0)
  }

  /** Adds a record; false if too many wait. */
  add(waiting: Waiting): boolean {
    if (this.#waiting.length >= MOST) return false
    this.#waiting.push(waiting)
    return true
  }

  /**
   * Writes all that waits. What the database cannot take now goes on waiting; what it never takes is lost. Never rejects;
   * one call at a time.
   */
  async write(): Promise<Attempt> {
    // A record in doubt may have to wait for the other transaction: the others do not wait with it.
    const groups = [false, true].map((inDoubt) => this.#waiting.filter(({ isInDoubt }) => isInDoubt === inDoubt))
    let result: Attempt = { lost: 0 }
    for (const group of groups) {
      if (group.length === 0) continue
      const { lost, error = result.error } = await this.#writeTogether(group)
      result = { lost: result.lost + lost, error }
    }
    return result
  }

  async #writeTogether(group: readonly Waiting[]): Promise<Attempt> {
    try {
      await writeRefusals(
        this.#database,
        group.map(({ record }) => record)
      )
      this.#done(group)
      return { lost: 0 }
    } catch (error) {
      if (isAway(error)) return { lost: 0, error }
      return this.#writeEach(group)
    }
  }

  // One record that the database refuses must not hold up the others.
  async #writeEach(group: readonly Waiting[]): Promise<Attempt> {
    let result: Attempt = { lost: 0 }
    for (const one of group) {
      try {
        await writeRefusals(this.#database, [one.record])
        this.#done([one])
      } catch (error) {
        result = { lost: result.lost, error }
        if (isAway(error)) return result
        this.#remove([one])
        result = { lost: result.lost + one.refusals, error }
      }
    }
    return result
  }

  #done(written: readonly Waiting[]): void {
    this.#remove(written)
    for (const one of written) one.written?.()
  }

  #remove(done: readonly Waiting[]): void {
    const gone = new Set(done)
    this.#waiting = this.#waiting.filter((one) => !gone.has(one))
  }
}

function isAway(error: unknown): boolean {
  return error instanceof Problem && error.code === 'unavailable'
}
