import type { Account } from '../users/account.ts'

/** All that a pair of tokens says, from the one row that decided to give it. Times are seconds since 1970, by the database's clock. */
export interface Grant {
  readonly user_id: string
  readonly username: string
  readonly roles: string[]
  readonly epoch: number
  readonly token_hash: Buffer
  readonly sid: string
  readonly generation: number
  /** When the generation began. */
  readonly iat: number
  /** When the session ends if it is not used. */
  readonly idle_end: number
  /** When it ends however much it is used. */
  readonly end: number
  /** When the row was read. */
  readonly now: number
}

/** Who calls with an access token: the account as it is now, and the session that the token is of. */
export interface Caller extends Account {
  readonly sid: string
}

/** Where a request comes from; kept with its session, so that users recognise the device in a list. */
export interface Client {
  readonly ip: string
  readonly userAgent: string | null
}

/** How long sessions live, in seconds: unused, and at the most. */
export interface SessionLife {
  readonly idle: number
  readonly absolute: number
}

/** Why a session ended before its time. */
export type EndReason = 'logout' | 'revoked' | 'reuse' | 'evicted' | Revocation

/** Why all sessions of a user ended at once. */
export type Revocation = 'password_changed' | 'logout_everywhere' | 'disabled' | 'deleted' | 'ended_by_admin'

// What follows is SQL. The tables are `sessions` under the name `s` and `users` under the name `u`.

/** A time as claims have it: rounded down, because extract() rounds, and an iat must never lie in the future. */
export const seconds = (time: string) => `floor(extract(epoch FROM ${time}))::bigint`

/** The columns of a {@link Grant}. */
export const GRANT_COLUMNS = `u.id AS user_id, u.username, u.roles, u.epoch, u.token_hash, s.id AS sid, s.generation,
  ${seconds('coalesce(s.superseded_at[1], s.created_at)')} AS iat, ${seconds('s.idle_ends_at')} AS idle_end,
  ${seconds('s.ends_at')} AS "end", ${seconds('now()')} AS now`

/** Whether a session has come to no end. */
export const SESSION_LIVES = 's.ended_at IS NULL AND now() < s.idle_ends_at AND now() < s.ends_at'

/** When a session that is used now ends if it is not used again. `life` is a parameter, in seconds; `end` the absolute end. */
export const idleEnd = (life: string, end: string) => `least(now() + make_interval(secs => ${life}::float8), ${end})`

/** The earliest day on which a session that ends at `end` may be swept. */
export const sweepDay = (end: string) => `(${end})::date + 2`

/** What an UPDATE of sessions sets to end them, for a reason that is a parameter or a literal. */
export const setEnded = (reason: string) => `ended_at = now(), end_reason = ${reason}, sweep_on = ${sweepDay('now()')}`

/** The columns that a new session is made of; the rest have defaults. */
export const NEW_SESSION_COLUMNS =
  'id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on, ip, user_agent'
