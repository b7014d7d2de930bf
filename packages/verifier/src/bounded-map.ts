/** How often the iterator is begun anew while as many entries are set as the map may hold. */
const BEGINNINGS = 10

/** A map of at most `limit` entries: one more drops the entry that was set least recently. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  // One iterator for many entries: each that is begun anew has to pass over the places of all that were dropped before.
  // But as long as it does not move, it keeps alive what was dropped, so it is begun anew now and then.
  #oldest = this.#entries.keys()
  #setSinceItBegan = 0
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
    this.#setSinceItBegan += 1
    if (this.#setSinceItBegan > this.#limit / BEGINNINGS) {
      this.#oldest = this.#entries.keys()
      this.#setSinceItBegan = 0
    }
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#oldest.next().value as K)
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }
}
