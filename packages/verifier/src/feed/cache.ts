import { reasonOf } from '@latchkey/problems/reason'
import { type KeptFrom, readKept, writeKept } from './kept.ts'
import type { Knowledge } from './knowledge.ts'
import type { FeedSettings } from './settings.ts'
import type { SteadyClock } from './steady-clock.ts'

/** Shortest time between two writes, in milliseconds. */
const LEAST_PAUSE = 5000
/** A write that takes long is followed by a pause of this many times that. */
const PAUSES_PER_WRITE = 20

/** The cache file of a feed: what is known, for the next start. It never makes the feed current. Without a path it does nothing. */
export class Cache {
  readonly #path: string | undefined
  readonly #from: KeptFrom
  readonly #settings: FeedSettings
  readonly #steady: SteadyClock
  #waiting: Knowledge | undefined
  #isBusy = false

  constructor(settings: FeedSettings, issuer: string, steady: SteadyClock) {
    this.#path = settings.cacheFile
    this.#from = { url: settings.url, issuer }
    this.#settings = settings
    this.#steady = steady
  }

  /** What was kept, if it can be used. A file that cannot is logged, and written over later. */
  read(): Knowledge | undefined {
    if (!this.#path) return undefined
    try {
      return readKept(this.#path, this.#from, this.#second(), this.#settings.maxEntries)
    } catch (error) {
      this.#settings.log.warn({ path: this.#path }, `the kept revocations are not used: ${reasonOf(error)}`)
      return undefined
    }
  }

  /** Writes what is known: at once if nothing was written for a while, otherwise after that. */
  keep(known: Knowledge): void {
    this.#waiting = known
    if (this.#path && !this.#isBusy) void this.#write(this.#path)
  }

  async #write(path: string): Promise<void> {
    const known = this.#waiting
    if (known === undefined || known.place === null) return
    this.#waiting = undefined
    this.#isBusy = true
    const began = this.#steady.now()
    await writeKept(path, this.#from, known, this.#second()).catch((error) =>
      this.#settings.log.warn({ path, err: error }, 'the revocations could not be kept for a restart')
    )
    const took = this.#steady.now() - began
    this.#settings.clock.after(Math.max(LEAST_PAUSE, took * PAUSES_PER_WRITE), () => {
      this.#isBusy = false
      void this.#write(path)
    })
  }

  #second(): number {
    return Math.ceil(this.#steady.now() / 1000)
  }
}
