import type { RoomEvent } from '../events/event.ts'
import type { Batch } from '../live/batch.ts'
import type { Opened } from '../live/live.ts'
import type { Sink } from '../live/subscription.ts'

/** With so many events waiting the reader is slow: it goes on by reading the table. */
const MOST_WAITING = 200

/** The socket that a subscription belongs to. */
export interface Carrier {
  readonly user: string
  /** Whether its token is still believed; if not, it is being closed. */
  isGood(): boolean
  /** Whether more waits to be sent than a client in time leaves. */
  isBusy(): boolean
  /** Does a piece of work after earlier ones of the same socket. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

interface Waiting {
  readonly events: readonly RoomEvent[]
  readonly taken: () => void
  readonly refused: (error: Error) => void
  next: number
}

/**
 * The events of one room for one subscription, one after the other. The next is asked for when the one before was sent; so a
 * batch counts as taken when all of it was sent.
 */
export class EventStream implements AsyncIterableIterator<RoomEvent>, Sink {
  readonly user_id: string
  readonly #carrier: Carrier
  readonly #waiting: Waiting[] = []
  #opened: Opened | undefined
  #wake: (() => void) | undefined
  #failure: Error | undefined
  #isOver = false
  #count = 0

  constructor(carrier: Carrier) {
    this.#carrier = carrier
    this.user_id = carrier.user
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Begins with the event after this number. */
  begin(opened: Opened, after: number): void {
    this.#opened = opened
    opened.start(after)
  }

  async next(): Promise<IteratorResult<RoomEvent, undefined>> {
    for (;;) {
      const first = this.#waiting[0]
      const event = first?.events[first.next]
      if (first && event) {
        first.next += 1
        return { done: false, value: event }
      }
      if (first) {
        this.#waiting.shift()
        this.#count -= first.events.length
        first.taken()
      } else if (this.#failure) throw this.#failure
      else if (this.#isOver) return { done: true, value: undefined }
      else await this.#more()
    }
  }

  async return(): Promise<IteratorResult<RoomEvent, undefined>> {
    this.#isOver = true
    this.#opened?.close()
    for (const { refused } of this.#waiting.splice(0)) refused(new Error('the subscription is over'))
    this.#wake?.()
    return { done: true, value: undefined }
  }

  isGood(): boolean {
    return this.#carrier.isGood()
  }

  isBusy(): boolean {
    return this.#count > MOST_WAITING || this.#carrier.isBusy()
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#carrier.inTurn(work)
  }

  deliver({ events }: Batch): Promise<void> {
    return new Promise((taken, refused) => {
      if (this.#isOver) return refused(new Error('the subscription is over'))
      this.#count += events.length
      this.#waiting.push({ events, taken, refused, next: 0 })
      this.#wake?.()
    })
  }

  synced(): void {}

  /** What was delivered before is still sent. */
  ended(): void {
    this.#end()
  }

  /** Whoever reads has to read anew, which the protocol cannot say. */
  reset(): void {
    this.#end(new Error('the log of the room is another one'))
  }

  #end(failure?: Error): void {
    this.#failure = failure
    this.#isOver = true
    this.#opened?.close()
    this.#wake?.()
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }
}
