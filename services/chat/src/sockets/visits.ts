import type { Bounds } from '@latchkey/audit/refusal-bounds'
import type { Refusals } from '@latchkey/audit/refusals'
import { emit } from '@latchkey/events/emit'
import type { AccessClaims } from '@latchkey/verifier'
import type { Origin } from '../actions/action.ts'

/**
 * How many records of sockets an instance may write. Opening a socket costs a client next to nothing, and at a restart all
 * come back at once. So the records have bounds, as those of refusals; of their own, because a flood of sockets must not
 * keep a refusal out of the audit log. At most 86,400 a day and instance, besides the first thousand.
 */
export const SOCKET_BOUNDS: Bounds = { burst: 1000, perSecond: 1, perClient: 20, window: 60_000 }

/** Whose socket it is; nothing is known before a client has said who it is. */
type Whose = Pick<AccessClaims, 'sub' | 'sid'> | undefined

/**
 * Tells the log and the audit log of the sockets that open and close.
 *
 * Sockets of one session and client that open within a minute are one record, and one with their number; likewise those
 * that close with one code. The log has a line for each.
 */
export class Visits {
  readonly #records: Pick<Refusals, 'add'>

  constructor(records: Pick<Refusals, 'add'>) {
    this.#records = records
  }

  /** A socket is open, and it is known whose it is. */
  opened(origin: Origin, { sub: user, sid: session }: NonNullable<Whose>): void {
    emit(origin.log, 'socket_opened', { user, session })
    this.#add('socket_opened', origin, { sub: user, sid: session })
  }

  /** A socket was closed with this code, after it was open for so many milliseconds. */
  closed(origin: Origin, whose: Whose, { code, ms }: { readonly code: number; readonly ms: number }): void {
    const own = whose && { user: whose.sub, session: whose.sid }
    emit(origin.log, 'socket_closed', { ...own, code, ms: Math.round(ms) })
    if (whose) this.#add('socket_closed', origin, whose, String(code))
  }

  #add(event: 'socket_opened' | 'socket_closed', origin: Origin, { sub, sid }: NonNullable<Whose>, code?: string) {
    const { client, requestId, ip, userAgent } = origin
    this.#records.add({
      event,
      outcome: 'done',
      ...(code !== undefined && { code }),
      actor: { kind: 'user', id: sub, session: sid },
      client,
      source: { requestId, ip, userAgent }
    })
  }
}
