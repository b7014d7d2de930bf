/**
 * A map that surely holds the `limit` entries that were set last, and at most twice as many.
 *
 * Entries are set in the newer of two generations. When that is full, the older one is dropped as a whole, and the newer one
 * takes its place.
 */
export class BoundedMap<K, V extends NonNullable<unknown>> {
  #newer = new Map<K, V>()
  #older = new Map<K, V>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many entries it holds; one that was set again may count twice. */
  get size(): number {
    return this.#newer.size + this.#older.size
  }

  get(key: K): V | undefined {
    return this.#newer.get(key) ?? this.#older.get(key)
  }

  set(key: K, value: V): void {
    if (this.#limit === 0) return
    if (this.#newer.size >= this.#limit && !this.#newer.has(key)) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(key, value)
  }

  delete(key: K): void {
    this.#newer.delete(key)
    this.#older.delete(key)
  }
}
