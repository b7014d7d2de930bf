import { count } from '@latchkey/events/emit'
import type { RoomEvent } from '../events/event.ts'
import { Batch, type Removal, removalOf } from './batch.ts'

/** Where the events of one room go: a socket, or one subscription of GraphQL. */
export interface Sink {
  /** Whose it is: their removal from the room ends it. */
  readonly user_id: string
  /** Asked before each delivery. False: the token is good no more and the connection is being closed. */
  isGood(): boolean
  /** More waits to be taken than a reader in time leaves: it goes on by reading the table, at its own pace. */
  isBusy(): boolean
  /** Hands events over; resolves when they were taken. Rejects if the connection is gone. */
  deliver(batch: Batch): Promise<void>
  /**
   * Does a read of the table and the delivery of what it found, after earlier ones of the same connection: so at most one
   * page waits for a slow client, whatever the number of its rooms.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** Called once, when all that was missed is delivered: from here on events come as they happen. */
  synced(seq: number): void
  /** Called when an event, which was delivered before, has ended the subscription. */
  ended(reason: Removal): void
  /** The log is another one, since a backup was restored: what was delivered counts no more. Goes on from `head`. */
  reset(head: number): void
}

/** What a subscription needs of the feed of its room. */
export interface Source {
  readonly room: string
  /** The last number that was delivered to all who are live. */
  readonly cursor: number
  /** Events after a number, ascending, not all at once; none if there are none. Waits while the database is away. */
  page(after: number, closed: AbortSignal): Promise<readonly RoomEvent[]>
}

/**
 * Delivers the events of one room to one sink, each once and in order. It is behind, and reads pages, until it has met the
 * feed; then it is live, and the feed hands it events as they come. A sink that is busy falls behind again.
 */
export class Subscription {
  readonly #source: Source
  readonly #sink: Sink
  readonly #since: number
  readonly #closing = new AbortController()
  #at = 0
  #isLive = false
  #isSynced = false

  /** `since` is the number of the event by which the user joined. */
  constructor(source: Source, sink: Sink, since: number) {
    this.#source = source
    this.#sink = sink
    this.#since = since
  }

  /** Whether it reads pages, because it has not met the present yet or its reader is slow. */
  get isBehind(): boolean {
    return !this.#isLive && !this.#closing.signal.aborted
  }

  /** Begins with the event after this number. */
  start(after: number): void {
    this.#at = after
    void this.#catchUp()
  }

  /** Ends it: nothing is delivered any more. */
  close(): void {
    this.#closing.abort()
    this.#isLive = false
  }

  /** Takes events that have just happened; the feed calls it in order and leaves none out. */
  offer(batch: Batch): void {
    if (!this.#isLive || !this.#sink.isGood()) return
    if (this.#sink.isBusy()) {
      this.#isLive = false
      void this.#catchUp()
      return
    }
    // What the reader holds already, because another instance was faster.
    if (this.#at >= batch.last) return
    const isWhole = this.#at + 1 === batch.events[0]?.seq
    const news = isWhole
      ? batch
      : new Batch(
          batch.room,
          batch.events.filter(({ seq }) => seq > this.#at)
        )
    this.#deliver(news).then(
      () => count('events_delivered', { age: (Date.now() - news.at) / 1000 }),
      () => this.close()
    )
  }

  /** The log is another one: begins anew from its head. */
  reset(head: number): void {
    if (this.#closing.signal.aborted) return
    this.#at = head
    this.#sink.reset(head)
  }

  async #catchUp(): Promise<void> {
    const { signal } = this.#closing
    try {
      while (!signal.aborted && this.#sink.isGood()) {
        if (this.#at >= this.#source.cursor) return this.#becomeLive()
        await this.#sink.inTurn(() => this.#deliverPage(signal))
      }
    } catch {
      this.close()
    }
  }

  async #deliverPage(closed: AbortSignal): Promise<void> {
    const after = this.#at
    const events = closed.aborted ? [] : await this.#source.page(after, closed)
    if (closed.aborted || !this.#sink.isGood()) return
    // Else the log was reset meanwhile, and these are of the old one.
    if (events.length > 0 && after === this.#at) await this.#deliver(new Batch(this.#source.room, events))
  }

  // In one turn with the last look at the feed: nothing can come between.
  #becomeLive(): void {
    this.#isLive = true
    if (this.#isSynced) return
    this.#isSynced = true
    this.#sink.synced(this.#at)
  }

  async #deliver(batch: Batch): Promise<void> {
    const end = batch.mayRemove ? this.#endIn(batch.events) : undefined
    const news = end ? new Batch(batch.room, batch.events.slice(0, end.count)) : batch
    this.#at = news.last
    const taken = this.#sink.deliver(news)
    if (end) {
      this.close()
      this.#sink.ended(end.reason)
    }
    await taken
  }

  #endIn(events: readonly RoomEvent[]): { count: number; reason: Removal } | undefined {
    for (const [index, event] of events.entries()) {
      const reason = removalOf(event, this.#sink.user_id, this.#since)
      if (reason) return { count: index + 1, reason }
    }
    return undefined
  }
}
