/** A map of at most `limit` entries: one more drops the entry that was set least recently. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  // One iterator for good: each that is begun anew has to pass over the places of all entries that were dropped before.
  readonly #oldest = this.#entries.keys()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#oldest.next().value as K)
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }
}
