interface Waiting<T> {
  readonly item: T
  readonly names: readonly string[]
  readonly turn: number
}

/** Most newcomers that join a turn after it has begun. */
const MOST_NEWCOMERS = 16

/**
 * A queue in which nobody can delay others by many items.
 *
 * An item has one or more names, such as a client address and a user. Each name has one item per turn: an item gets the
 * first turn after those that its names have had or wait for. Within a turn the order is that of arrival. So one name
 * alone has the whole queue, and beside another name every second place. This is start-time fair queueing (Goyal, Vin,
 * Cheng 1996) with items of equal size.
 *
 * A newcomer joins the current turn, so it does not wait for items that came before it in later turns. A turn accepts
 * only some newcomers, because an endless stream of them would keep out every name that has had its turn.
 */
export class FairQueue<T> {
  readonly #longest: number
  /** In the order of arrival. None has a turn before the current one. */
  #waiting: Waiting<T>[] = []
  #turn = 0
  #newcomers = 0
  /** The first turn that a name may have again, for names that had the current turn. */
  readonly #again = new Map<string, number>()

  /** `longest` is how many items may wait. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** How many items wait. */
  get size(): number {
    return this.#waiting.length
  }

  /** Tells whether a new item with these names would have a place: a free one, or that of an item with a later turn. */
  hasPlaceFor(names: readonly string[]): boolean {
    if (this.#waiting.length < this.#longest) return true
    const turn = this.#turnOf(names)
    return this.#waiting.some((other) => other.turn > turn)
  }

  /** Returns the items that would start before a new item with these names. */
  before(names: readonly string[]): T[] {
    const turn = this.#turnOf(names)
    return this.#waiting.filter((other) => other.turn <= turn).map(({ item }) => item)
  }

  /**
   * Adds an item. If the queue is full, returns the item that has to leave: the last one of the latest turn, which may
   * be the new one.
   */
  add(item: T, names: readonly string[]): T | undefined {
    const turn = this.#turnOf(names)
    if (turn === this.#turn) this.#newcomers += 1
    this.#waiting.push({ item, names, turn })
    if (this.#waiting.length <= this.#longest) return undefined
    return this.#remove(this.#waiting.reduce((last, other) => (other.turn >= last.turn ? other : last)))
  }

  /** Removes and returns the item that starts now. */
  take(): T | undefined {
    const [oldest] = this.#waiting
    if (!oldest) return undefined
    const next = this.#waiting.reduce((first, other) => (other.turn < first.turn ? other : first), oldest)
    if (next.turn > this.#turn) this.#advance(next.turn)
    for (const name of next.names) this.#again.set(name, next.turn + 1)
    return this.#remove(next)
  }

  /**
   * Removes and returns all items for which `isGone` is true. Their turns stay empty: later items of the same names
   * keep theirs.
   */
  drop(isGone: (item: T) => boolean): T[] {
    const gone = this.#waiting.filter(({ item }) => isGone(item)).map(({ item }) => item)
    if (gone.length > 0) this.#waiting = this.#waiting.filter(({ item }) => !isGone(item))
    return gone
  }

  #turnOf(names: readonly string[]): number {
    let turn = this.#newcomers < MOST_NEWCOMERS ? this.#turn : this.#turn + 1
    for (const name of names) turn = Math.max(turn, this.#again.get(name) ?? 0)
    for (const other of this.#waiting) {
      if (other.turn >= turn && other.names.some((name) => names.includes(name))) turn = other.turn + 1
    }
    return turn
  }

  #advance(turn: number): void {
    this.#turn = turn
    this.#newcomers = 0
    for (const [name, again] of this.#again) if (again <= turn) this.#again.delete(name)
  }

  #remove(gone: Waiting<T>): T {
    this.#waiting.splice(this.#waiting.indexOf(gone), 1)
    return gone.item
  }
}
