import { type EventLog, emit } from '@latchkey/events/emit'
import { pauseOf } from './judge.ts'

/**
 * The pauses of an instance while the mail server cannot be used. Of a row of pauses only the first is logged, as an
 * error, and then the end of the row.
 */
export class Pauses {
  readonly #log: EventLog
  /** How many pauses came one after the other. */
  #times = 0
  /** When the present one ends, by `performance.now()`. */
  #ends = 0

  constructor(log: EventLog) {
    this.#log = log
  }

  /** Milliseconds until the end of the present pause; 0 without one. */
  left(): number {
    return Math.max(this.#ends - performance.now(), 0)
  }

  /** Begins a pause and returns its seconds; during a pause, the seconds left: several sends may fail at once. */
  begin(codes: string): number {
    const left = this.left()
    if (left > 0) return left / 1000
    const seconds = pauseOf(this.#times)
    if (this.#times === 0) emit(this.#log, 'mail_paused', { codes })
    this.#times += 1
    this.#ends = performance.now() + seconds * 1000
    return seconds
  }

  /** Ends the pauses. Call it when the server has accepted a mail, or has refused it because of the mail itself. */
  end(): void {
    if (this.#times > 0) emit(this.#log, 'mail_resumed', { pauses: this.#times })
    this.#times = 0
    this.#ends = 0
  }
}
