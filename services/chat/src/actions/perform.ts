import { canonicalId } from '@latchkey/frame/ids'
import { Problem } from '@latchkey/problems/problem'
import type { ActionParts, AnyAction, Caller } from './action.ts'

/** Runs an action for a face that has validated its input. Throws what the action throws. */
export function perform(action: AnyAction, parts: ActionParts, caller: Caller, input: unknown): Promise<unknown> {
  return recorded({ ...parts, name: action.name, room: roomOf(input) }, caller, () => action.run(parts, caller, input))
}

/** What somebody wants to do, and where. */
interface Wish extends Pick<ActionParts, 'refusals'> {
  readonly name: string
  readonly room: string | undefined
}

/**
 * Does something for somebody. Who is not let do it (403) is recorded in the audit log, whichever face they came by.
 * Throws what `run` throws.
 */
export async function recorded<T>({ refusals, name, room }: Wish, caller: Caller, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Problem && error.status === 403) {
      const { client, requestId, ip, userAgent } = caller.origin
      refusals.add({
        event: 'refused',
        outcome: 'refused',
        code: error.code,
        route: name,
        actor: { kind: 'user', id: caller.user_id, session: caller.session },
        ...(room !== undefined && { target: { kind: 'room', id: canonicalId(room) } }),
        client,
        source: { requestId, ip, userAgent }
      })
    }
    throw error
  }
}

function roomOf(input: unknown): string | undefined {
  const { room } = input as { readonly room?: unknown }
  return typeof room === 'string' ? room : undefined
}
