import type { Database } from '@latchkey/database/pool'
import { canonicalId } from '@latchkey/frame/ids'
import { fieldValidator } from '@latchkey/frame/validation'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { ActionParts, Caller } from '../actions/action.ts'
import { recorded } from '../actions/perform.ts'
import { roomFor } from '../actions/standing.ts'
import { ROOM_ID, SEQ } from '../fields.ts'
import type { Live } from '../live/live.ts'
import type { Wish } from './context.ts'
import { type Carrier, EventStream } from './events.ts'
import type { Resolver } from './resolvers.ts'

/** Who is further behind reads the messages instead. */
const FARTHEST = 10_000

const schema = Type.Object({ room: ROOM_ID, after: Type.Optional(SEQ) }, { additionalProperties: false })
const validate = fieldValidator()({ schema, method: '', url: '', httpPart: 'body' })

/** The source of `Subscription.roomEvents`; only sockets have one. */
export const roomEvents: Resolver = (_parent, { room, after }, { caller, listen }) => {
  const { error } = validate({ room, ...(typeof after === 'number' && { after }) }) as { error?: Problem }
  if (error) throw error
  if (!listen) throw new Problem('invalid_input', { detail: 'Subscriptions need a WebSocket.' })
  return listen(caller, { room: String(room), after: typeof after === 'number' ? after : undefined })
}

/** What listening needs. */
interface ListenParts {
  readonly database: Database
  readonly live: Live
  /** Records who was not let listen, as for /ws. */
  readonly refusals: ActionParts['refusals']
}

/** Begins to listen to a room for a socket. Throws the refusal. */
export async function listenTo(
  { database, live, refusals }: ListenParts,
  carrier: Carrier,
  caller: Caller,
  { room, after }: Wish
): Promise<EventStream> {
  const id = canonicalId(room)
  const { last_seq: head, since_seq } = await recorded({ refusals, name: 'subscribe', room: id }, caller, () =>
    roomFor('read', database, caller, id)
  )
  if (after !== undefined && after > head) throw wrongPlace('must not be beyond the head of the room')
  if (after !== undefined && head - after > FARTHEST) {
    throw wrongPlace(`must be at most ${FARTHEST} behind: read the messages, and go on from the head`)
  }
  const stream = new EventStream(carrier)
  const opened = await live.subscribe({ room: id, sink: stream, head, since: since_seq ?? head })
  stream.begin(opened, after ?? head)
  return stream
}

function wrongPlace(message: string): Problem {
  return new Problem('invalid_input', { errors: [{ field: 'after', message }] })
}
