import type { Refused } from './record.ts'
import { BOUNDS, type Bounds, RecordBounds } from './refusal-bounds.ts'

/** A refusal, and whose it is. */
export interface ClientRefused extends Refused {
  /** The client as it is counted: an IPv4 address, or the /64 of an IPv6 address. */
  readonly client: string
  /**
   * The id of a record of a change whose outcome only the database knows. If the change was made, its record has this id,
   * and the refusal is none.
   */
  readonly unless?: string | null
}

/** Refusals that came again within a window, after a first one that was written. */
export interface Repeated {
  readonly refused: ClientRefused
  readonly repeated: number
}

/** Most refusals that are counted at a time. */
const MOST = 10_000

/**
 * Decides what is written of refusals. Those of one event, code, client, actor and target within a window are one record:
 * the first at once, the others as a number when the window ends. Each call takes the same time, however many there are.
 */
export class RefusalCounts {
  readonly #bounds: RecordBounds
  readonly #window: number
  /** In the order of their windows' ends. */
  readonly #counted = new Map<string, { refused: ClientRefused; repeated: number; ends: number }>()
  #leftOut = 0

  constructor(now: number, bounds: Bounds = BOUNDS) {
    this.#bounds = new RecordBounds(now, bounds)
    this.#window = bounds.window
  }

  /** Whether this refusal is to be written now. Otherwise it is counted, as a repeated one or as one that is left out. */
  add(refused: ClientRefused, now: number): boolean {
    const key = keyOf(refused)
    const counted = this.#counted.get(key)
    // Only the database knows whether this one is a refusal, so it cannot be one of a number.
    const isCounted = !refused.unless
    if (isCounted && counted && counted.ends > now) {
      counted.repeated += 1
      return false
    }
    if (!this.#bounds.take(refused.client, now)) {
      this.leaveOut(1)
      return false
    }
    if (isCounted && !counted && this.#counted.size < MOST) {
      this.#counted.set(key, { refused, repeated: 0, ends: now + this.#window })
    }
    return true
  }

  /** Takes the numbers of windows that have ended, or of all; those that may not be written are left out. */
  takeRepeated(now: number, all = false): Repeated[] {
    const taken: Repeated[] = []
    for (const [key, { refused, repeated, ends }] of this.#counted) {
      if (ends > now && !all) break
      this.#counted.delete(key)
      if (repeated === 0) continue
      if (this.#bounds.take(refused.client, now)) taken.push({ refused, repeated })
      else this.leaveOut(repeated)
    }
    return taken
  }

  /** Counts refusals that are not written. */
  leaveOut(refusals: number): void {
    this.#leftOut += refusals
  }

  /** Takes the number of refusals that were left out since the last time. */
  takeLeftOut(): number {
    const leftOut = this.#leftOut
    this.#leftOut = 0
    return leftOut
  }

  get hasLeftOut(): boolean {
    return this.#leftOut > 0
  }

  /** How many refusals are only counted yet: repeated ones, and those that were left out. */
  get refusals(): number {
    let refusals = this.#leftOut
    for (const { repeated } of this.#counted.values()) refusals += repeated
    return refusals
  }

  /** How many are counted now. */
  get size(): number {
    return this.#counted.size
  }

  /** When the next window ends; Infinity if there is none. */
  get nextEnd(): number {
    for (const { ends } of this.#counted.values()) return ends
    return Number.POSITIVE_INFINITY
  }
}

function keyOf({ event, outcome, code, route, client, actor, target, account, session }: ClientRefused): string {
  // The route is the only one that may contain a space.
  return [
    event,
    outcome,
    code,
    client,
    actor?.kind,
    actor?.id,
    actor?.session,
    target?.id,
    account,
    session,
    route
  ].join(' ')
}
