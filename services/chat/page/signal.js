/**
 * Something that happens, and who wants to know of it.
 *
 * @template T
 */
export class Signal {
  /** @type {Set<(value: T) => void>} */
  #listeners = new Set()

  /** @param {(value: T) => void} listener */
  on(listener) {
    this.#listeners.add(listener)
  }

  /** @param {T} value */
  emit(value) {
    for (const listener of this.#listeners) listener(value)
  }
}
