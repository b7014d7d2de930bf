import { reasonOf } from '@latchkey/problems/reason'
import { type KeptFrom, readKept, writeKept } from './kept.ts'
import type { Knowledge } from './knowledge.ts'
import type { FeedSettings } from './settings.ts'
import type { SteadyClock } from './steady-clock.ts'

/** Shortest time between two writes, in milliseconds. */
const LEAST_PAUSE = 5000
/** A write that takes long is followed by a pause of this many times that. */
const PAUSES_PER_WRITE = 20
/** Longest time that the end waits for the file, in milliseconds. */
const LONGEST_CLOSING = 2000

/** The cache file of a feed: what is known, for the next start. It never makes the feed current. Without a path it does nothing. */
export class Cache {
  readonly #path: string | undefined
  readonly #from: KeptFrom
  readonly #settings: FeedSettings
  readonly #steady: SteadyClock
  #waiting: Knowledge | undefined
  #isBusy = false
  #isClosed = false
  #written = Promise.resolve()
  #endPause = () => {}

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
    if (!this.#isBusy) this.#begin()
  }

  /** Drops what waits to be written: it is not to be trusted. */
  forget(): void {
    this.#waiting = undefined
  }

  /** Ends the writing. What waits is written first, without a pause; after two seconds it is given up. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#endPause()
    const whole = async () => {
      await this.#written
      this.#begin()
      await this.#written
    }
    await new Promise<void>((resolve) => {
      const cancel = this.#settings.clock.after(LONGEST_CLOSING, resolve, true)
      void whole().then(cancel).then(resolve)
    })
  }

  #begin(): void {
    const [path, known] = [this.#path, this.#waiting]
    if (path === undefined || known === undefined || known.place === null) return
    this.#waiting = undefined
    this.#isBusy = true
    this.#written = this.#write(path, known)
  }

  async #write(path: string, known: Knowledge): Promise<void> {
    const began = this.#steady.now()
    await writeKept(path, this.#from, known, this.#second()).catch((error) =>
      this.#settings.log.warn({ path, err: error }, 'the revocations could not be kept for a restart')
    )
    if (this.#isClosed) return
    const took = this.#steady.now() - began
    this.#endPause = this.#settings.clock.after(Math.max(LEAST_PAUSE, took * PAUSES_PER_WRITE), () => {
      this.#isBusy = false
      this.#begin()
    })
  }

  #second(): number {
    return Math.ceil(this.#steady.now() / 1000)
  }
}
