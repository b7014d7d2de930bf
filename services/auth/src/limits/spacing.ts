/** Time between two refusals of one client, in milliseconds. */
const BETWEEN = 10

/** Longest that a refusal is held, in milliseconds. */
const LONGEST = 500

/** Names after which those are forgotten whose next refusal may go at once. */
const MANY = 10_000

/**
 * Says for how long a refusal is held, so that one client is refused a hundred times a second and waits half a second at
 * the most.
 *
 * A client that waits as Retry-After says hears at once. One that asks again without waiting, seventy times in parallel,
 * would else take the processor from those whose passwords are hashed.
 */
export class Spacing {
  /** When the next refusal of a name may go. */
  readonly #next = new Map<string, number>()

  /** Names of which something is kept. */
  get size(): number {
    return this.#next.size
  }

  /** Milliseconds from `now`, in milliseconds since any time. A client may have more than one name: each is spaced. */
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
