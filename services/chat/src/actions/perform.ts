import { canonicalId } from '@latchkey/frame/ids'
import { Problem } from '@latchkey/problems/problem'
import type { ActionParts, AnyAction, Caller } from './action.ts'

/**
 * Runs an action for a face that has validated its input. Who is not let do something (403) is recorded in the audit log,
 * whichever face they came by. Throws what the action throws.
 */
export async function perform(action: AnyAction, parts: ActionParts, caller: Caller, input: unknown): Promise<unknown> {
  try {
    return await action.run(parts, caller, input)
  } catch (error) {
    if (error instanceof Problem && error.status === 403) {
      const { client, requestId, ip, userAgent } = caller.origin
      parts.refusals.add({
        event: 'refused',
        outcome: 'refused',
        code: error.code,
        route: action.name,
        actor: { kind: 'user', id: caller.user_id, session: caller.session },
        ...targetOf(input),
        client,
        source: { requestId, ip, userAgent }
      })
    }
    throw error
  }
}

function targetOf(input: unknown): { target?: { kind: 'room'; id: string } } {
  const { room } = input as { readonly room?: unknown }
  return typeof room === 'string' ? { target: { kind: 'room', id: canonicalId(room) } } : {}
}
