/** So many are kept: at one change a second, those of a quarter of an hour. */
const MOST = 1000

/** The last lags of a feed, in seconds. */
export class Lags {
  readonly #kept: number[] = []
  #next = 0
  #last: number | undefined

  add(seconds: number): void {
    this.#last = seconds
    this.#kept[this.#next] = seconds
    this.#next = (this.#next + 1) % MOST
  }

  /** The last one, and how long half and all but a hundredth of those that are kept took at most; nothing before the first. */
  summary(): { lag: number; lagP50: number; lagP99: number } | undefined {
    if (this.#last === undefined) return undefined
    const sorted = [...this.#kept].sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0
    return { lag: this.#last, lagP50: at(0.5), lagP99: at(0.99) }
  }
}
