import { unavailable } from '@latchkey/problems/problem'
import type { ActionParts, Caller } from '../actions/action.ts'
import type { RoomEvent } from '../events/event.ts'
import { logRefusal, problemOf } from '../sockets/failures.ts'

/** Most actions of one request that run at once: a request with many fields must not take the pool of the database. */
const AT_ONCE = 2

/** Where somebody begins to listen; without a number, from the head. */
export interface Wish {
  readonly room: string
  readonly after: number | undefined
}

/** Begins to listen to a room. Throws the refusal. */
export type Listen = (caller: Caller, wish: Wish) => Promise<AsyncIterable<RoomEvent>>

/** What the fields of one request share. */
export class Context {
  readonly parts: ActionParts
  readonly caller: Caller
  /** None where nothing can be listened to. */
  readonly listen: Listen | undefined
  readonly #over: AbortSignal
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** `over` is aborted when nobody waits for the answer any more. */
  constructor(parts: ActionParts, caller: Caller, over: AbortSignal, listen?: Listen) {
    this.parts = parts
    this.caller = caller
    this.listen = listen
    this.#over = over
  }

  /** Runs a part of the request when its turn comes. Throws `unavailable` if nobody waits for the answer any more. */
  async inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      if (this.#over.aborted) throw unavailable('the request is over')
      return await this.#loggedIfLate(run)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }

  // The answer would have been shown and logged; now nobody waits for one.
  async #loggedIfLate<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (this.#over.aborted) logRefusal(this.caller.origin.log, problemOf(error))
      throw error
    }
  }
}
