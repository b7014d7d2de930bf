/** Jobs whose least time is what the next is expected to take: a machine that halts for a moment refuses nobody. */
const LATEST = 8

/** How long a hash takes on this machine, by the last ones. */
export class Pace {
  readonly #latest: number[] = []

  /** Notes how long a job took, in milliseconds divided by 2 to the power of its cost. */
  note(pace: number): void {
    this.#latest.push(pace)
    if (this.#latest.length > LATEST) this.#latest.shift()
  }

  /** Milliseconds that a job of this cost takes, as far as is known; 0 when nothing is. The very first job compiles the code as well. */
  expected(cost: number): number {
    return this.#latest.length < 2 ? 0 : Math.min(...this.#latest) * 2 ** cost
  }
}
