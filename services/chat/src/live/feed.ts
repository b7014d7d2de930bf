import { setTimeout as sleep } from 'node:timers/promises'
import type { RoomEvent } from '../events/event.ts'
import { Batch } from './batch.ts'
import type { Source, Subscription } from './subscription.ts'

/** So many events are kept for who comes back soon, and so many characters of their texts: a room has many members, and an instance many rooms. */
const RING = 256
const RING_TEXT = 64 * 1024

/** How long a hole in the numbers may stay until the table is asked, in milliseconds: commits of other instances. */
const HOLE = 5

/** Most events of one read, and most characters of their texts in one page. */
const PAGE = 200
const PAGE_TEXT = 256 * 1024

/** Most characters of texts that go out together as they happen. */
const LIVE_TEXT = 32 * 1024

/** Pause after a read that failed, in milliseconds. */
const PAUSE = 500

/** Reads events after a number, ascending, at most `limit`. */
export type ReadEvents = (after: number, limit: number) => Promise<RoomEvent[]>

/**
 * The events of one room at this instance, for all its subscriptions. `cursor` is what was delivered to those who are
 * live. Commits of this instance are offered; of others it only hears that there is a later number, and reads the table.
 */
export class Feed implements Source {
  readonly room: string
  readonly subscriptions = new Set<Subscription>()
  readonly #read: ReadEvents
  readonly #failed: (error: unknown) => void
  #cursor: number | undefined
  #target = 0
  #ring: RoomEvent[] = []
  readonly #pending = new Map<number, RoomEvent>()
  #hole: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined

  constructor(room: string, read: ReadEvents, failed: (error: unknown) => void) {
    this.room = room
    this.#read = read
    this.#failed = failed
  }

  get cursor(): number {
    return this.#cursor ?? 0
  }

  /** Begins at the head of the room, which was read after its notices were asked for: so none is missed between. */
  begin(head: number): void {
    this.#cursor = head
    this.hint(this.#target)
  }

  /** Takes committed events, in any order. Before {@link begin} they count as a hint alone, or they would leave a hole. */
  offer(events: readonly RoomEvent[]): void {
    const last = events.at(-1)?.seq ?? 0
    if (this.#cursor === undefined) {
      this.#target = Math.max(this.#target, last)
      return
    }
    for (const event of events) if (event.seq > this.#cursor) this.#pending.set(event.seq, event)
    this.#target = Math.max(this.#target, last)
    this.#deliverPending()
    if (this.#pending.size > 0) this.#hole ??= setTimeout(() => this.#readOn(), HOLE).unref()
  }

  /** Hears that the room has events up to this number. */
  hint(seq: number): void {
    this.#target = Math.max(this.#target, seq)
    if (this.#cursor !== undefined && this.#target > this.#cursor) this.#readOn()
  }

  /** The log is another one: begins anew from its head, with all who listen. */
  reset(head: number): void {
    this.#cursor = head
    this.#target = head
    this.#ring = []
    this.#pending.clear()
    for (const subscription of this.subscriptions) subscription.reset(head)
  }

  /** See {@link Source}. What the ring holds costs no query. */
  async page(after: number, closed: AbortSignal): Promise<readonly RoomEvent[]> {
    const first = this.#ring[0]?.seq
    if (first !== undefined && first <= after + 1) return cut(this.#ring.slice(after + 1 - first))
    while (!closed.aborted) {
      try {
        return cut(await this.#read(after, PAGE))
      } catch (error) {
        this.#failed(error)
        await sleep(PAUSE, undefined, { ref: false, signal: closed }).catch(() => {})
      }
    }
    return []
  }

  /** Ends it, with all subscriptions. */
  close(): void {
    clearTimeout(this.#hole)
    for (const subscription of this.subscriptions) subscription.close()
    this.subscriptions.clear()
  }

  #readOn(): void {
    clearTimeout(this.#hole)
    this.#hole = undefined
    // One read at a time. One that fails is repeated by the next hint, or by the look at all heads.
    this.#reading ??= this.#readToTarget()
      .catch(this.#failed)
      .finally(() => {
        this.#reading = undefined
      })
  }

  async #readToTarget(): Promise<void> {
    while (this.cursor < this.#target) {
      const wanted = this.#target
      const events = await this.#read(this.cursor, PAGE)
      // A hint was wrong.
      if (events.length === 0 && this.#target === wanted) this.#target = this.cursor
      for (const event of events) if (event.seq > this.cursor) this.#pending.set(event.seq, event)
      this.#deliverPending()
    }
  }

  #deliverPending(): void {
    const events: RoomEvent[] = []
    let next = this.cursor + 1
    for (let event = this.#pending.get(next); event; event = this.#pending.get(next)) {
      this.#pending.delete(next)
      events.push(event)
      next += 1
    }
    if (events.length === 0) return
    this.#cursor = next - 1
    this.#ring = lastOf([...this.#ring, ...events])
    for (const seq of this.#pending.keys()) if (seq < next) this.#pending.delete(seq)
    if (this.#pending.size === 0) {
      clearTimeout(this.#hole)
      this.#hole = undefined
    }
    // In parts, because a reader that stands still has at least one of them waiting.
    for (let rest: readonly RoomEvent[] = events; rest.length > 0; ) {
      const part = cut(rest, LIVE_TEXT)
      rest = rest.slice(part.length)
      const batch = new Batch(this.room, part)
      for (const subscription of this.subscriptions) subscription.offer(batch)
    }
  }
}

// The last ones, within both bounds of the ring.
function lastOf(events: readonly RoomEvent[]): RoomEvent[] {
  let size = 0
  const tooMuch = events.findLastIndex(({ text }, index) => {
    size += text?.length ?? 0
    return events.length - index > RING || size > RING_TEXT
  })
  return events.slice(tooMuch + 1)
}

// At most so many events and so much text, and at least one.
function cut(events: readonly RoomEvent[], mostText = PAGE_TEXT): readonly RoomEvent[] {
  let size = 0
  const end = events.findIndex(({ text }, index) => {
    size += text?.length ?? 0
    return index > 0 && (index === PAGE || size > mostText)
  })
  return end === -1 ? events : events.slice(0, end)
}
