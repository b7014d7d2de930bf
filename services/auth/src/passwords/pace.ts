/**
 * Number of last jobs whose shortest time is expected of the next, so that a short pause of the machine refuses nobody.
 */
const LATEST = 8

/** How long a hash takes on this machine, from the last ones. */
export class Pace {
  readonly #latest: number[] = []

  /** Notes how long a job took, in milliseconds divided by 2 to the power of its cost. */
  note(pace: number): void {
    this.#latest.push(pace)
    if (this.#latest.length > LATEST) this.#latest.shift()
  }

  /**
   * Expected milliseconds of a job with this cost; 0 if nothing is known. The very first job also compiles the code.
   */
  expected(cost: number): number {
    return this.#latest.length < 2 ? 0 : Math.min(...this.#latest) * 2 ** cost
  }
}
