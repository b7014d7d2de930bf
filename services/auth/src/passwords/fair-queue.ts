interface Waiting<T> {
  readonly item: T
  readonly names: readonly string[]
  readonly turn: number
}

/** Newcomers that a turn takes in once it has begun. */
const MOST_NEWCOMERS = 16

/**
 * A queue in which nobody can keep others waiting by waiting often.
 *
 * What waits does so in one or more names, such as those of a client address and of a user. Each name is begun once a
 * turn: an item has the first turn after all that its names have had or wait for, and within a turn the order is that of
 * arrival. So one name alone has the whole queue, and beside another every second place. Start-time fair queueing
 * (Goyal, Vin, Cheng 1996) is this rule with items of many sizes.
 *
 * A newcomer has the turn that was begun last, and so waits for nobody who has been begun in it. A turn is closed when
 * some came so, or newcomers without end would keep out whoever has had a turn.
 */
export class FairQueue<T> {
  readonly #longest: number
  /** In the order of arrival. None has a turn before the present one. */
  #waiting: Waiting<T>[] = []
  #turn = 0
  #newcomers = 0
  /** The first turn that a name may have again, of names that had the present turn. */
  readonly #again = new Map<string, number>()

  /** `longest`: items that may wait. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** Whether an item that came now in these names would have a place: a free one, or that of an item with a later turn. */
  hasPlaceFor(names: readonly string[]): boolean {
    if (this.#waiting.length < this.#longest) return true
    const turn = this.#turnOf(names)
    return this.#waiting.some((other) => other.turn > turn)
  }

  /** What would be begun before an item that came now in these names. */
  before(names: readonly string[]): T[] {
    const turn = this.#turnOf(names)
    return this.#waiting.filter((other) => other.turn <= turn).map(({ item }) => item)
  }

  /**
   * Adds an item, and returns the one that has to leave where the queue is full: the last to come of the latest turn, which
   * may be the item itself.
   */
  add(item: T, names: readonly string[]): T | undefined {
    const turn = this.#turnOf(names)
    if (turn === this.#turn) this.#newcomers += 1
    this.#waiting.push({ item, names, turn })
    if (this.#waiting.length <= this.#longest) return undefined
    return this.#remove(this.#waiting.reduce((last, other) => (other.turn >= last.turn ? other : last)))
  }

  /** Takes out what is to begin now. */
  take(): T | undefined {
    const [oldest] = this.#waiting
    if (!oldest) return undefined
    const next = this.#waiting.reduce((first, other) => (other.turn < first.turn ? other : first), oldest)
    if (next.turn > this.#turn) this.#advance(next.turn)
    for (const name of next.names) this.#again.set(name, next.turn + 1)
    return this.#remove(next)
  }

  /** Takes out all that is like this, unbegun. Its turns stay empty: what came later in the same names keeps its own. */
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
