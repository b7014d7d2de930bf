import type { Database } from '@latchkey/database/pool'
import { type Background, runInBackground } from '@latchkey/frame/background'
import type { RoomEvent } from '../events/event.ts'
import { eventsAfter, headsOf, streamOf } from '../events/log.ts'
import { Feed } from './feed.ts'
import { NO_NOTICES, type NoticeListener, type Notices } from './notices.ts'
import { type Sink, Subscription } from './subscription.ts'

/** What one instance has of the rooms that somebody listens to. */
interface LiveOptions {
  readonly database: Database
  readonly log: { warn(details: object, message: string): void }
  /** How often the heads of all rooms are looked at, in seconds. */
  readonly interval: number
  /** Makes the way to the other instances; by default there is none. */
  readonly notices?: (listener: NoticeListener) => Notices
}

/** How a room is listened to. */
interface Listening {
  readonly room: string
  readonly sink: Sink
  /** The head of the room as it was just read. */
  readonly head: number
  /** The number of the event by which the user joined; for an administrator who has not, the head. */
  readonly since: number
}

/** A subscription that was opened and delivers nothing yet. */
export interface Opened {
  /** Begins with the event after this number. */
  start(after: number): void
  close(): void
}

/**
 * Everything that is listened to at this instance: a {@link Feed} for each room with subscriptions. What the notices lose is
 * found by a regular look at the heads of all these rooms.
 */
export class Live {
  readonly #options: LiveOptions
  readonly #notices: Notices
  readonly #feeds = new Map<string, { feed: Feed; opened: Promise<void> }>()
  readonly #looking: Background
  #stream: string | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(options: LiveOptions) {
    this.#options = options
    const listener = {
      hint: (room: string, seq: number) => this.#feeds.get(room)?.feed.hint(seq),
      back: () => void this.#looking.runNow()
    }
    const milliseconds = options.interval * 1000
    this.#looking = runInBackground({
      run: () => this.#look(),
      failed: (error) => this.#failed(error),
      first: milliseconds,
      pause: () => milliseconds
    })
    this.#notices = options.notices?.(listener) ?? NO_NOTICES
  }

  /** Takes events that were committed here. */
  readonly committed = (room: string, events: readonly RoomEvent[]): void => {
    this.#feeds.get(room)?.feed.offer(events)
    const last = events.at(-1)
    if (last) this.#notices.publish(room, last.seq)
  }

  /** Numbers for metrics. */
  counts(): { rooms: number; subscriptions: number; behind: number } {
    const all = [...this.#feeds.values()].flatMap(({ feed }) => [...feed.subscriptions])
    return { rooms: this.#feeds.size, subscriptions: all.length, behind: all.filter(({ isBehind }) => isBehind).length }
  }

  /** The identity of the log; read once, and again after it was seen to be another. */
  async stream(): Promise<string> {
    this.#stream ??= await streamOf(this.#options.database)
    return this.#stream
  }

  /** Listens to a room; whether the user may has been decided. Throws `unavailable` if the database is away. */
  async subscribe({ room, sink, head, since }: Listening): Promise<Opened> {
    const { feed, opened } = this.#feedOf(room)
    const subscription = new Subscription(feed, sink, since)
    feed.subscriptions.add(subscription)
    const close = () => {
      subscription.close()
      feed.subscriptions.delete(subscription)
      if (feed.subscriptions.size === 0) this.#forget(room, feed)
    }
    try {
      await opened
    } catch (error) {
      close()
      throw error
    }
    feed.hint(head)
    return { start: (after) => subscription.start(after), close }
  }

  /** Ends all subscriptions. */
  async close(): Promise<void> {
    for (const [room, { feed }] of this.#feeds) {
      feed.close()
      this.#forget(room, feed)
    }
    await this.#looking.close()
  }

  #feedOf(room: string): { feed: Feed; opened: Promise<void> } {
    const known = this.#feeds.get(room)
    if (known) return known
    const { database } = this.#options
    const read = (after: number, limit: number) => eventsAfter(database, { room, after, limit })
    const feed = new Feed(room, read, (error) => this.#failed(error))
    const made = { feed, opened: this.#open(feed) }
    this.#feeds.set(room, made)
    return made
  }

  // First the notices, then the head: what is committed between is in one of them.
  async #open(feed: Feed): Promise<void> {
    await this.#notices.subscribe(feed.room)
    const heads = await headsOf(this.#options.database, [feed.room])
    feed.begin(heads.get(feed.room) ?? 0)
  }

  #forget(room: string, feed: Feed): void {
    if (this.#feeds.get(room)?.feed !== feed) return
    this.#feeds.delete(room)
    this.#notices.unsubscribe(room)
  }

  async #look(): Promise<void> {
    if (this.#feeds.size === 0) return
    const { database } = this.#options
    const before = new Map([...this.#feeds].map(([room, { feed }]) => [room, feed.cursor]))
    const known = await this.stream()
    const stream = await streamOf(database)
    const heads = await headsOf(database, [...before.keys()])
    this.#stream = stream
    for (const [room, cursor] of before) {
      const head = heads.get(room) ?? 0
      const feed = this.#feeds.get(room)?.feed
      // A head that goes back is a database that was restored, or one that has lost commits.
      if (stream !== known || head < cursor) feed?.reset(head)
      else feed?.hint(head)
    }
  }

  // Thousands of readers may fail together: one line a second.
  #failed(error: unknown): void {
    const now = performance.now()
    if (now - this.#toldAt < 1000) return
    this.#toldAt = now
    this.#options.log.warn({ err: error }, 'the events of rooms could not be read; it is tried again')
  }
}
