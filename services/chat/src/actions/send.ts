import { canonicalId, idOf } from '@latchkey/frame/ids'
import { unavailable } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { MESSAGE_TEXT, ROOM_ID } from '../fields.ts'
import { action, requireTurn } from './action.ts'
import { roomFor } from './standing.ts'

/** How often a message is tried whose sender may send, and yet it was not taken: they have just joined, for instance. */
const MOST_TRIES = 3

/** `send`: adds a message to a room. Repeated under the same `client_id`, it is not added again. */
export const send = action({
  name: 'send',
  summary: 'Send a message; repeat it under the same client_id if no answer came',
  input: Type.Object(
    { room: ROOM_ID, client_id: idOf('the message, chosen by its sender'), text: MESSAGE_TEXT },
    { additionalProperties: false }
  ),
  output: Type.Object(
    {
      room: Type.String({ format: 'uuid' }),
      seq: Type.Integer(),
      created_at: Type.String({ format: 'date-time' }),
      repeated: Type.Boolean({ description: 'It was sent before; this is where.' })
    },
    { title: 'SentMessage' }
  ),
  problems: ['not_found', 'not_a_member', 'room_closed', 'too_many_requests'],
  async run({ database, lanes, messages }, caller, { room: id, client_id, text }) {
    requireTurn(messages, caller)
    const { user_id, username } = caller
    const room = canonicalId(id)
    const message = { room, sender: { user_id, username }, client_id: canonicalId(client_id), text }
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const sent = await lanes.send(message)
      if (sent) {
        const { seq, created_at, repeated } = sent
        return { room, seq, created_at: created_at.toISOString(), repeated }
      }
      await roomFor('send', database, caller, room)
    }
    throw unavailable('the sender may send, and yet the message was not taken')
  }
})
