/** Time between two refusals of one client, in milliseconds. */
const BETWEEN = 10

/** Longest delay of a refusal, in milliseconds. */
const LONGEST = 500

/** Number of names above which expired ones are removed. */
const MANY = 10_000

/**
 * Says how long to delay a refusal: until 10 ms after the one before it of the same client, but at most 0.5 s. So who asks
 * up to fifty times at once is refused a hundred times a second. Beyond that each refusal comes after 0.5 s, as many a second
 * as were asked for.
 *
 * A client that respects Retry-After is answered at once. One that repeats without waiting, seventy times in parallel,
 * would otherwise take the processor from the hashing of others.
 */
export class Spacing {
  /** The earliest time of the next refusal, by name. */
  readonly #next = new Map<string, number>()

  /** The number of names. */
  get size(): number {
    return this.#next.size
  }

  /** Returns the delay in milliseconds; `now` is in milliseconds. A client may have several names; each is spaced. */
  holdOf(names: readonly string[], now: number): number {
    const next = Math.max(...names.map((name) => this.#next.get(name) ?? 0))
    const hold = Math.min(Math.max(next - now, 0), LONGEST)
    for (const name of names) this.#next.set(name, now + hold + BETWEEN)
    if (this.#next.size > MANY) this.#forget(now)
    return hold
  }

  #forget(now: number): void {
    for (const [name, next] of this.#next) if (next <= now) this.#next.delete(name)
  }
}
