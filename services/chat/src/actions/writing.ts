import { type Note, transact } from '@latchkey/audit/acting'
import type { Queryable } from '@latchkey/database/pool'
import { canonicalId } from '@latchkey/frame/ids'
import { appendEvent } from '../events/append.ts'
import type { NewEvent, RoomEvent } from '../events/event.ts'
import { findMember, lockMembers, type Member } from '../rooms/members.ts'
import { findRoom, lockHead, type Room } from '../rooms/rooms.ts'
import type { Rule } from '../rules.ts'
import { type ActionParts, type Caller, requireTurn } from './action.ts'
import { noteEvent } from './noted.ts'
import { refusal, requireRule } from './standing.ts'

/** What a change sees: everything that it decides on is locked. */
export interface Change {
  readonly connection: Queryable
  readonly room: Room
  /** Whom it is done to, if they are a member. */
  readonly target: Member | undefined
  /** Notes what is no event of the room, for the audit log. */
  readonly note: Note
  /** Adds an event to the room; it goes out when the change is committed, and stands in the audit log. */
  write(event: NewEvent): Promise<RoomEvent>
}

/** What is changed, and by which rule. */
interface Wish {
  readonly room: string
  /** None: the change decides by itself, with {@link requireRule}. */
  readonly rule?: Rule
  /** Whom it is done to. */
  readonly target?: string
}

/**
 * Changes a room in one transaction: locks the members that take part, in the order of their ids, then the head of the
 * room; reads all of it anew, because others may have changed it while this one waited; asks the rules; changes.
 *
 * All writers of a room lock in this order, so none waits in a circle, and nobody sends a message after their removal.
 */
export async function changeRoom<T>(
  { database, committed, changes }: ActionParts,
  caller: Caller,
  wish: Wish,
  change: (change: Change) => Promise<T>
): Promise<T> {
  requireTurn(changes, caller)
  const id = canonicalId(wish.room)
  const users = [caller.user_id, ...(wish.target === undefined ? [] : [wish.target])]
  const { result, events } = await transact({ database, ...caller.origin }, async (connection, note) => {
    const events: RoomEvent[] = []
    await lockMembers(connection, id, users)
    await lockHead(connection, id)
    const room = await findRoom(connection, id, caller.user_id)
    if (!room) throw refusal('not_found')
    const target = wish.target === undefined ? undefined : await findMember(connection, id, wish.target)
    if (wish.rule) requireRule(wish.rule, room, caller, target?.role)
    const write = async (event: NewEvent) => {
      const written = await appendEvent(connection, id, { user_id: caller.user_id, username: caller.username }, event)
      events.push(written)
      noteEvent(note, caller, id, event)
      return written
    }
    return { result: await change({ connection, room, target, note, write }), events }
  })
  if (events.length > 0) committed(id, events)
  return result
}
