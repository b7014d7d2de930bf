import { Problem } from '@latchkey/problems/problem'
import { type Static, Type } from 'typebox'
import type { RoomEvent } from '../events/event.ts'
import { messagesOf } from '../events/log.ts'
import { DEFAULT_LIMIT, LIMIT, ROOM_ID, SEQ } from '../fields.ts'
import { action } from './action.ts'
import { roomFor } from './standing.ts'

const PERSON = Type.Object({ user_id: Type.String({ format: 'uuid' }), username: Type.String() }, { title: 'Person' })

/** A message as answers show it. */
export const MESSAGE = Type.Object(
  {
    seq: Type.Integer(),
    kind: Type.Literal('message'),
    created_at: Type.String({ format: 'date-time' }),
    actor: PERSON,
    client_id: Type.Optional(Type.String({ format: 'uuid' })),
    text: Type.Union([Type.String(), Type.Null()], { description: 'Null once it is deleted.' }),
    deleted: Type.Optional(Type.Boolean())
  },
  { title: 'Message' }
)

const nextPage = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description })

/** `history`: the messages of a room, a page at a time, without its other events. */
export const history = action({
  name: 'history',
  summary: 'Read the messages of a room, the last ones or those before or after a number',
  input: Type.Object(
    { room: ROOM_ID, before: Type.Optional(SEQ), after: Type.Optional(SEQ), limit: Type.Optional(LIMIT) },
    { additionalProperties: false }
  ),
  output: Type.Object(
    {
      messages: Type.Array(MESSAGE, { description: 'In the order of their numbers.' }),
      next_before: nextPage('before of the page with older ones; null if there are none'),
      next_after: nextPage('after of the page with newer ones; null if none was asked for or there are none')
    },
    { title: 'MessagePage' }
  ),
  problems: ['not_found', 'not_a_member'],
  async run({ database }, caller, { room, before, after, limit = DEFAULT_LIMIT }) {
    if (before !== undefined && after !== undefined) {
      throw new Problem('invalid_input', {
        errors: [{ field: 'after', message: 'must not come together with before' }]
      })
    }
    const { id } = await roomFor('read', database, caller, room)
    const found = await messagesOf(database, { room: id, before, after, limit: limit + 1 })
    const isMore = found.length > limit
    // One too many was read, at the far end.
    const page = after === undefined && isMore ? found.slice(1) : found.slice(0, limit)
    return {
      messages: page.map(messageView),
      next_before: after === undefined && isMore ? (page[0]?.seq ?? null) : null,
      next_after: after !== undefined && isMore ? (page.at(-1)?.seq ?? null) : null
    }
  }
})

function messageView({ seq, created_at, actor, client_id, text = null, deleted }: RoomEvent): Static<typeof MESSAGE> {
  return {
    seq,
    kind: 'message',
    created_at,
    actor,
    ...(client_id !== undefined && { client_id }),
    text,
    ...(deleted && { deleted })
  }
}
