import { canonicalId } from '@latchkey/frame/ids'
import { Problem } from '@latchkey/problems/problem'
import type { Caller } from './action.ts'

/** What is said of a user who is not in the room. */
export const NO_SUCH_MEMBER = 'There is no such member in this room.'

/** The id of another user, as rows have it. Throws `invalid_input` if it is the caller's own. */
export function anotherUser(user_id: string, caller: Caller): string {
  const id = canonicalId(user_id)
  if (id !== caller.user_id) return id
  throw new Problem('invalid_input', { errors: [{ field: 'user_id', message: 'must be somebody else' }] })
}
