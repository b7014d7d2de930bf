import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connection.ts'

/** How often all sockets are looked at, in milliseconds. */
const EVERY = 250

/** After how long at a stop the sockets that are left are cut, in milliseconds. */
const LONGEST_DRAIN = 7000

/** The open sockets of this instance. One timer looks at all of them. */
export class Registry {
  readonly #all = new Set<Connection>()
  readonly #ofUser = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #emptied: (() => void) | undefined

  get size(): number {
    return this.#all.size
  }

  /** The number of a user's sockets. */
  countOf(user: string): number {
    return this.#ofUser.get(user) ?? 0
  }

  add(connection: Connection): void {
    this.#all.add(connection)
    this.#ofUser.set(connection.user, this.countOf(connection.user) + 1)
    this.#timer ??= setInterval(() => this.#look(), EVERY).unref()
  }

  delete(connection: Connection): void {
    if (!this.#all.delete(connection)) return
    const left = this.countOf(connection.user) - 1
    if (left > 0) this.#ofUser.set(connection.user, left)
    else this.#ofUser.delete(connection.user)
    if (this.#all.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#emptied?.()
  }

  /** Sends all away over this time, in random order, so that not all come back at once. Time in milliseconds. */
  async drain(time: number): Promise<void> {
    const begun = performance.now()
    const cut = setTimeout(() => this.#cut(), LONGEST_DRAIN)
    const leaving = inRandomOrder(this.#all)
    for (const [index, connection] of leaving.entries()) {
      const wait = begun + (time * index) / leaving.length - performance.now()
      if (wait >= 1) await sleep(wait)
      void connection.leave()
    }
    if (this.#all.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
      })
    }
    clearTimeout(cut)
  }

  #look(): void {
    for (const connection of this.#all) connection.look()
  }

  #cut(): void {
    for (const connection of this.#all) connection.terminate()
  }
}

function inRandomOrder(connections: Iterable<Connection>): Connection[] {
  return [...connections]
    .map((connection) => ({ connection, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ connection }) => connection)
}
