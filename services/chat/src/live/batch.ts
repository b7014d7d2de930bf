import type { RoomEvent } from '../events/event.ts'

/** Why a subscription ended, by an event of its room. */
export type Removal = 'left' | 'kicked' | 'banned' | 'room_closed'

/** Events of one room that go out together; the same object to all who listen. */
export class Batch {
  readonly room: string
  readonly events: readonly RoomEvent[]
  #frame: Buffer | undefined
  #mayRemove: boolean | undefined
  #at: number | undefined

  constructor(room: string, events: readonly RoomEvent[]) {
    this.room = room
    this.events = events
  }

  /** The number of the last event. */
  get last(): number {
    return this.events.at(-1)?.seq ?? 0
  }

  /** When the first event was committed, which has waited longest: in milliseconds since 1970 by the database's clock. */
  get at(): number {
    this.#at ??= Date.parse(this.events[0]?.created_at ?? '')
    return this.#at
  }

  /** The frame `events` of the protocol as UTF-8, made once for all sockets. */
  get frame(): Buffer {
    this.#frame ??= Buffer.from(JSON.stringify({ type: 'events', room: this.room, events: this.events }))
    return this.#frame
  }

  /** Whether one of the events may end a subscription. Most have none. */
  get mayRemove(): boolean {
    this.#mayRemove ??= this.events.some(({ kind }) => REMOVALS.has(kind))
    return this.#mayRemove
  }
}

const REMOVALS: ReadonlySet<string> = new Set(['left', 'kicked', 'banned', 'closed'])

/**
 * Tells why an event ends the subscriptions of a user, who is a member since the event `since`; nothing if it does not.
 * Removals before that number were of an earlier membership.
 */
export function removalOf(event: RoomEvent, user: string, since: number): Removal | undefined {
  const { kind, seq, actor, target } = event
  if (kind === 'closed') return 'room_closed'
  if (seq <= since) return undefined
  if (kind === 'left') return actor.user_id === user ? 'left' : undefined
  return (kind === 'kicked' || kind === 'banned') && target?.user_id === user ? kind : undefined
}
