import { setTimeout as sleep } from 'node:timers/promises'

/** How often all sockets are looked at, in milliseconds. */
const EVERY = 250

/** After how long at a stop the sockets that are left are cut, in milliseconds. */
const LONGEST_DRAIN = 7000

/** An open socket, whatever is spoken on it. */
export interface Entry {
  /** What is spoken on it. */
  readonly speaks: 'chat' | 'graphql'
  /** Looks at everything that nobody tells; called a few times a second. */
  look(): void
  /** Ends it in order, because the service stops. */
  leave(): Promise<void>
  /** Ends it at once. */
  terminate(): void
}

/** The open sockets of this instance. One timer looks at all of them. */
export class Registry {
  readonly #all = new Map<Entry, string | undefined>()
  readonly #ofUser = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #emptied: (() => void) | undefined

  get size(): number {
    return this.#all.size
  }

  /** The number of sockets on which this is spoken; for metrics. */
  countThatSpeak(speaks: Entry['speaks']): number {
    return [...this.#all.keys()].filter((entry) => entry.speaks === speaks).length
  }

  /** The number of a user's sockets. */
  countOf(user: string): number {
    return this.#ofUser.get(user) ?? 0
  }

  /** Adds a socket; one that is there already is that of `user` from now on. */
  add(entry: Entry, user?: string): void {
    this.#all.set(entry, user)
    if (user !== undefined) this.#ofUser.set(user, this.countOf(user) + 1)
    this.#timer ??= setInterval(() => this.#look(), EVERY).unref()
  }

  delete(entry: Entry): void {
    const user = this.#all.get(entry)
    if (!this.#all.delete(entry)) return
    if (user !== undefined) this.#forget(user)
    if (this.#all.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#emptied?.()
  }

  /** Sends all away over this time, in random order, so that not all come back at once. Time in milliseconds. */
  async drain(time: number): Promise<void> {
    const begun = performance.now()
    const cut = setTimeout(() => this.#cut(), LONGEST_DRAIN)
    const leaving = inRandomOrder(this.#all.keys())
    for (const [index, entry] of leaving.entries()) {
      const wait = begun + (time * index) / leaving.length - performance.now()
      if (wait >= 1) await sleep(wait)
      void entry.leave()
    }
    if (this.#all.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
      })
    }
    clearTimeout(cut)
  }

  #forget(user: string): void {
    const left = this.countOf(user) - 1
    if (left > 0) this.#ofUser.set(user, left)
    else this.#ofUser.delete(user)
  }

  #look(): void {
    for (const entry of this.#all.keys()) entry.look()
  }

  #cut(): void {
    for (const entry of this.#all.keys()) entry.terminate()
  }
}

function inRandomOrder(entries: Iterable<Entry>): Entry[] {
  return [...entries]
    .map((entry) => ({ entry, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ entry }) => entry)
}
