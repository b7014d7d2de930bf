/** How many records of refusals an instance may write. */
export interface Bounds {
  /** Most at once. */
  readonly burst: number
  /** Records that may be written again, a second. */
  readonly perSecond: number
  /** Most of one client in a window, so that one client alone leaves something for the others. */
  readonly perClient: number
  /** The length of a window, in milliseconds. */
  readonly window: number
}

/** The bounds that hold. At most 432,000 records a day and instance, besides the first thousand. */
export const BOUNDS: Bounds = { burst: 1000, perSecond: 5, perClient: 50, window: 60_000 }

/**
 * Decides which records of refusals are written: a token bucket for all, and a count for each client. Times are in
 * milliseconds of any clock that only goes forward.
 *
 * It remembers only clients that were allowed something in the present window, so the bucket bounds its memory too.
 */
export class RecordBounds {
  readonly #bounds: Bounds
  /** In the order of their windows' ends. */
  readonly #clients = new Map<string, { taken: number; ends: number }>()
  #tokens: number
  #filled: number

  constructor(now: number, bounds: Bounds = BOUNDS) {
    this.#bounds = bounds
    this.#tokens = bounds.burst
    this.#filled = now
  }

  /** Takes one record for a client; false if it may not be written. */
  take(client: string, now: number): boolean {
    const { burst, perSecond, perClient, window } = this.#bounds
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filled) / 1000) * perSecond)
    this.#filled = now
    this.#forget(now)
    const share = this.#clients.get(client)
    if (this.#tokens < 1 || (share && share.taken >= perClient)) return false
    this.#tokens -= 1
    if (share) share.taken += 1
    else this.#clients.set(client, { taken: 1, ends: now + window })
    return true
  }

  #forget(now: number): void {
    for (const [client, { ends }] of this.#clients) {
      if (ends > now) return
      this.#clients.delete(client)
    }
  }
}
