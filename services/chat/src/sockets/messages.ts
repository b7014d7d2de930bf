import type { FieldError } from '@latchkey/problems/problem'
import type { Removal } from '../live/batch.ts'

/** The id of a request, chosen by the client. */
export type RequestId = number | string

/** What the service sends, besides the frames `events`, which are made once for all who get them. */
export type Message =
  | ({ readonly type: 'ok'; readonly id: RequestId } & Readonly<Record<string, unknown>>)
  | ErrorMessage
  | Hello
  | { readonly type: 'synced'; readonly room: string; readonly seq: number }
  | { readonly type: 'reset'; readonly room: string; readonly head: number; readonly stream: string }
  | { readonly type: 'unsubscribed'; readonly room: string; readonly reason: Removal | 'demoted' }
  | { readonly type: 'expiring'; readonly expires_at: string; readonly in_ms: number }
  | {
      readonly type: 'closing'
      readonly code: number
      readonly reason: string
      readonly reconnect_after_ms: number
    }

/** The types of all that the service sends. */
export const MESSAGE_TYPES = [
  'ok',
  'error',
  'hello',
  'events',
  'synced',
  'reset',
  'unsubscribed',
  'expiring',
  'closing'
] as const satisfies readonly (Message['type'] | 'events')[]

/** The refusal of a request, or of a frame that is none. */
export interface ErrorMessage {
  readonly type: 'error'
  /** Null where none could be read. */
  readonly id: RequestId | null
  readonly code: string
  readonly detail: string
  readonly errors?: readonly FieldError[]
  /** Seconds. */
  readonly retry_after?: number
}

/** The first message of each socket. */
interface Hello {
  readonly type: 'hello'
  readonly user_id: string
  readonly username: string
  readonly roles: readonly string[]
  readonly expires_at: string
  readonly stream: string
  readonly heartbeat_ms: number
  readonly limits: {
    readonly frame_bytes: number
    readonly text_length: number
    readonly messages_per_minute: number
    readonly rooms_per_socket: number
  }
}

/** A time of a token, in seconds since 1970, as messages have it (RFC 3339). */
export function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
