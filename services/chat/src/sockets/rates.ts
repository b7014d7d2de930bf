import { Buckets } from '../limits/buckets.ts'

/** Frames of a user: so many a minute, and so many of them at once. */
const FRAMES = { perMinute: 1200, burst: 200 }

/** One minute, in milliseconds. */
const WINDOW = 60_000

/** Most users whose refusals are counted; beyond, those that were refused first are forgotten. */
const MOST_USERS = 100_000

interface Refused {
  count: number
  /** When the first was, in milliseconds. */
  readonly since: number
}

/** Notices users who send more than they may: each instance counts alone, all sockets of a user together. */
export class Rates {
  readonly #frames: Buckets
  readonly #refused = new Map<string, Refused>()
  readonly #mostRefused: number
  readonly #now: () => number

  /** `messagesPerMinute` is also how often in a minute they may be refused. `now` is of a clock that does not step. */
  constructor(messagesPerMinute: number, now = () => performance.now()) {
    this.#frames = new Buckets({ ...FRAMES, now })
    this.#mostRefused = messagesPerMinute
    this.#now = now
  }

  /** Counts a frame; returns whether it is one too many. */
  isFlood(user: string): boolean {
    return this.#frames.take(user) > 0
  }

  /** Counts a refusal by `too_many_requests`; returns whether the user goes on as if there was no limit. */
  isDeaf(user: string): boolean {
    const now = this.#now()
    const known = this.#refused.get(user)
    if (known && now - known.since < WINDOW) {
      known.count += 1
      return known.count >= this.#mostRefused
    }
    this.#refused.delete(user)
    this.#refused.set(user, { count: 1, since: now })
    if (this.#refused.size > MOST_USERS) {
      const [oldest] = this.#refused.keys()
      if (oldest !== undefined) this.#refused.delete(oldest)
    }
    return this.#mostRefused <= 1
  }
}
