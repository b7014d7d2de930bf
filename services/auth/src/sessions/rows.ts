import type { Account } from '../users/account.ts'

/**
 * Everything that two tokens contain, from the one row that was used for the decision. Times are seconds since 1970, by
 * the database's clock.
 */
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
  /** The absolute end of the session. */
  readonly end: number
  /** When the row was read. */
  readonly now: number
}

/** The caller with an access token: the account as it is now, and the token's session. */
export interface Caller extends Account {
  readonly sid: string
}

/** How long sessions live, in seconds: without use, and at most. */
export interface SessionLife {
  readonly idle: number
  readonly absolute: number
}

/** Why a session ended before its expiry. */
export type EndReason = 'logout' | 'revoked' | 'reuse' | 'evicted' | 'replaced' | Revocation

/** Why all sessions of a user ended at once. */
export type Revocation =
  | 'password_changed'
  | 'password_reset'
  | 'logout_everywhere'
  | 'disabled'
  | 'deleted'
  | 'ended_by_admin'

// SQL from here on: the table `sessions` is called `s`, and `users` is called `u`.

/** A time as in claims, rounded down: extract() rounds, and an iat must never be in the future. */
export const seconds = (time: string) => `floor(extract(epoch FROM ${time}))::bigint`

/** The columns of a {@link Grant}. */
export const GRANT_COLUMNS = `u.id AS user_id, u.username, u.roles, u.epoch, u.token_hash, s.id AS sid, s.generation,
  ${seconds('coalesce(s.superseded_at[1], s.created_at)')} AS iat, ${seconds('s.idle_ends_at')} AS idle_end,
  ${seconds('s.ends_at')} AS "end", ${seconds('now()')} AS now`

/** The condition of a live session. */
export const SESSION_LIVES = 's.ended_at IS NULL AND now() < s.idle_ends_at AND now() < s.ends_at'

/** The idle end of a session that is used now. `life` is a parameter, in seconds; `end` is the absolute end. */
export const idleEnd = (life: string, end: string) => `least(now() + make_interval(secs => ${life}::float8), ${end})`

/** The earliest day on which a session that ends at `end` may be swept. */
export const sweepDay = (end: string) => `(${end})::date + 2`

/** The assignments that end sessions in an UPDATE; the reason is a parameter or a literal. */
export const setEnded = (reason: string) => `ended_at = now(), end_reason = ${reason}, sweep_on = ${sweepDay('now()')}`

/** The columns of a new session; the others have defaults. */
export const NEW_SESSION_COLUMNS =
  'id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on, ip, user_agent'
