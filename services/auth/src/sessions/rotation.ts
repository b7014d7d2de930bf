import type { RefreshClaims } from '@latchkey/tokens/claims'
import { unavailable } from '@latchkey/tokens/errors'
import { isToBeRepeated, type Queryable } from '../database.ts'
import { decide, type RotationSettings, type SessionState } from './refresh-rule.ts'
import { endSession, GRANT, type Grant, type Origin, SESSION_LIVES, USER_ENABLED } from './sessions.ts'

/** How a refresh ended: with the grant of a new pair, or with why there is none. */
export type Refreshed =
  | { readonly verdict: 'rotate' | 'again'; readonly grant: Grant; readonly elsewhere: boolean }
  | { readonly verdict: 'dead' | 'ahead' | 'theft'; readonly current: number | undefined }

interface Row extends Grant, SessionState {
  readonly ip: string | null
  readonly user_agent: string | null
}

/** How refresh tokens rotate, and how long an unused session lives, in seconds. */
export type RefreshSettings = RotationSettings & { readonly idle: number }

/** A lost race is decided anew; two rounds were always enough when 50 refreshes of one token raced. */
const MOST_ROUNDS = 5

/**
 * Carries out the rule of refresh on the session that a token names: reads, decides, then writes only what the decision
 * needs, guarded by the generation that was read.
 *
 * Runs in autocommit: the end of a stolen session stays, although its request fails. All that the grant says comes from
 * the row that decided. Throws `unavailable` when it loses the race too often.
 */
export async function refreshSession(
  database: Queryable,
  shown: RefreshClaims,
  from: Origin,
  settings: RefreshSettings
): Promise<Refreshed> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    try {
      const refreshed = await attempt(database, shown, from, settings)
      if (refreshed) return refreshed
    } catch (error) {
      if (!isToBeRepeated(error)) throw error
    }
  }
  throw unavailable(`session ${shown.sid}: the refresh lost ${MOST_ROUNDS} races`)
}

// Nothing when another request has changed the session since it was read.
async function attempt(
  database: Queryable,
  shown: RefreshClaims,
  from: Origin,
  settings: RefreshSettings
): Promise<Refreshed | undefined> {
  const row = await read(database, shown)
  const verdict = decide(row, shown, settings)
  if (!row || verdict === 'dead' || verdict === 'ahead' || verdict === 'theft') {
    if (verdict === 'theft') await endSession(database, { sid: shown.sid, userId: shown.sub, reason: 'reuse' })
    return { verdict: verdict as 'dead' | 'ahead' | 'theft', current: row?.generation }
  }
  if (verdict === 'rotate') {
    const rotated = await rotate(database, row, from, settings.idle)
    return rotated && { verdict, grant: { ...row, ...rotated }, elsewhere: false }
  }
  if (!settings.rotation) await renew(database, row.sid, from, settings.idle)
  return { verdict, grant: row, elsewhere: row.ip !== from.ip || row.user_agent !== from.userAgent }
}

async function read(database: Queryable, { sid, sub }: RefreshClaims): Promise<Row | undefined> {
  const [row] = await database.query<Row>(
    `SELECT ${GRANT}, s.ip, s.user_agent, ${SESSION_LIVES} AND ${USER_ENABLED} AS alive,
            ARRAY(SELECT extract(epoch FROM now() - at)::float8
                    FROM unnest(s.superseded_at) WITH ORDINALITY AS past(at, place) ORDER BY place) AS superseded_ago
       FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND u.id = $2`,
    [sid, sub]
  )
  return row
}

async function rotate(
  database: Queryable,
  { sid, generation }: Row,
  from: Origin,
  idle: number
): Promise<Partial<Grant> | undefined> {
  const [rotated] = await database.query<Partial<Grant>>(
    `UPDATE sessions s SET generation = s.generation + 1, superseded_at = (now() || s.superseded_at)[1:8],
            last_used_at = now(), idle_ends_at = least(now() + make_interval(secs => $3::float8), s.ends_at),
            sweep_on = (least(now() + make_interval(secs => $3::float8), s.ends_at))::date + 2, ip = $4, user_agent = $5
      WHERE s.id = $1 AND s.generation = $2 AND s.ended_at IS NULL
      RETURNING s.generation, floor(extract(epoch FROM s.superseded_at[1]))::bigint AS iat,
                floor(extract(epoch FROM s.idle_ends_at))::bigint AS idle_end, floor(extract(epoch FROM now()))::bigint AS now`,
    [sid, generation, idle, from.ip, from.userAgent]
  )
  return rotated
}

// Without rotation the token stays; only the end of an unused session moves.
async function renew(database: Queryable, sid: string, from: Origin, idle: number): Promise<void> {
  await database.query(
    `UPDATE sessions SET last_used_at = now(), idle_ends_at = least(now() + make_interval(secs => $2::float8), ends_at),
            ip = $3, user_agent = $4
      WHERE id = $1 AND ended_at IS NULL`,
    [sid, idle, from.ip, from.userAgent]
  )
}
