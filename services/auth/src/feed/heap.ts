/**
 * The earliest first: a binary heap. What is over is dropped when it is met, or when it is the larger part.
 */
export class Heap<T> {
  #items: T[] = []
  readonly #timeOf: (item: T) => number
  readonly #isOver: (item: T) => boolean

  constructor(timeOf: (item: T) => number, isOver: (item: T) => boolean) {
    this.#timeOf = timeOf
    this.#isOver = isOver
  }

  /** How many it keeps, with those that are over and were not met yet. */
  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    this.#items.push(item)
    this.#rise(this.#items.length - 1)
  }

  /** The earliest time; Infinity if there is nothing. */
  earliest(): number {
    for (let [top] = this.#items; top !== undefined; [top] = this.#items) {
      if (!this.#isOver(top)) return this.#timeOf(top)
      this.#removeTop()
    }
    return Number.POSITIVE_INFINITY
  }

  /** Adds to `found` all that are not later than a time, in no order; looks only at these and those right after them. */
  collect(time: number, found: T[], at = 0): void {
    const item = this.#items[at]
    if (item === undefined || this.#timeOf(item) > time) return
    if (!this.#isOver(item)) found.push(item)
    this.collect(time, found, 2 * at + 1)
    this.collect(time, found, 2 * at + 2)
  }

  /** Drops all that is over. */
  clean(): void {
    const items = this.#items.filter((item) => !this.#isOver(item))
    this.#items = []
    for (const item of items) this.add(item)
  }

  #removeTop(): void {
    const last = this.#items.pop()
    if (last === undefined || this.#items.length === 0) return
    this.#items[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1
      if (!this.#swapIfEarlier(at, above)) return
      at = above
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const below = this.#timeAt(right) < this.#timeAt(left) ? right : left
      if (!this.#swapIfEarlier(below, at)) return
      at = below
    }
  }

  #timeAt(at: number): number {
    const item = this.#items[at]
    return item === undefined ? Number.POSITIVE_INFINITY : this.#timeOf(item)
  }

  #swapIfEarlier(at: number, above: number): boolean {
    const [lower, upper] = [this.#items[at], this.#items[above]]
    if (lower === undefined || upper === undefined || this.#timeOf(lower) >= this.#timeOf(upper)) return false
    this.#items[at] = upper
    this.#items[above] = lower
    return true
  }
}
