import type { Role } from '../rules.ts'

/** What can happen in a room. */
export const KINDS = [
  'message',
  'deleted',
  'created',
  'joined',
  'left',
  'kicked',
  'banned',
  'unbanned',
  'role',
  'renamed',
  'closed'
] as const

/** One of {@link KINDS}. */
export type Kind = (typeof KINDS)[number]

/** A user as events name them. */
export interface Person {
  readonly user_id: string
  readonly username: string
}

/** Of whom an event tells; the name is null if they are not a member. */
export interface Target {
  readonly user_id: string
  readonly username: string | null
}

/** What happened in a room, as it goes out; members beyond the first four depend on the kind. */
export interface RoomEvent {
  readonly seq: number
  readonly kind: Kind
  /** RFC 3339. For display: the order is that of `seq`. */
  readonly created_at: string
  readonly actor: Person
  readonly client_id?: string
  /** Null once it is deleted. */
  readonly text?: string | null
  readonly deleted?: true
  readonly target_seq?: number
  readonly target?: Target
  readonly role?: Role
  readonly name?: string
}

/** What an action writes; number, time and actor come with the row. */
export type NewEvent =
  | { readonly kind: 'created' | 'joined' | 'left' | 'closed' }
  | { readonly kind: 'deleted'; readonly target_seq: number }
  | { readonly kind: 'kicked' | 'banned' | 'unbanned'; readonly target: Target }
  | { readonly kind: 'role'; readonly target: Target; readonly role: Role }
  | { readonly kind: 'renamed'; readonly name: string }

/** The columns of an event. */
export interface EventRow {
  readonly seq: number
  readonly kind: Kind
  readonly actor_id: string
  readonly actor_name: string
  readonly client_id: string | null
  readonly text: string | null
  readonly target_seq: number | null
  readonly target_id: string | null
  readonly data: { readonly username?: string | null; readonly role?: Role; readonly name?: string } | null
  readonly created_at: Date
  readonly is_deleted: boolean
}

/** The columns that {@link eventOf} reads, for SELECT. */
export const EVENT_COLUMNS =
  'seq, kind, actor_id, actor_name, client_id, text, target_seq, target_id, data, created_at, deleted_at IS NOT NULL AS is_deleted'

/** Makes the event of a row. */
export function eventOf(row: EventRow): RoomEvent {
  const { seq, kind, created_at, actor_id, actor_name, client_id, text, target_seq, target_id, data, is_deleted } = row
  return {
    seq,
    kind,
    created_at: created_at.toISOString(),
    actor: { user_id: actor_id, username: actor_name },
    ...(kind === 'message' && { ...(client_id !== null && { client_id }), text }),
    ...(is_deleted && { deleted: true }),
    ...(target_seq !== null && { target_seq }),
    ...(target_id !== null && { target: { user_id: target_id, username: data?.username ?? null } }),
    ...(data?.role !== undefined && { role: data.role }),
    ...(data?.name !== undefined && { name: data.name })
  }
}
