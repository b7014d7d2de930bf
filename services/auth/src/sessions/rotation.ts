import { type Acting, transact } from '@latchkey/audit/acting'
import { isToBeRepeated } from '@latchkey/database/errors'
import type { Queryable } from '@latchkey/database/pool'
import type { Client } from '@latchkey/frame/client'
import { unavailable } from '@latchkey/problems/problem'
import type { RefreshClaims } from '@latchkey/tokens/claims'
import { USER_ENABLED } from '../users/account.ts'
import { decide, type Granting, type Refusing, type RotationSettings, type SessionState } from './refresh-rule.ts'
import { GRANT_COLUMNS, type Grant, idleEnd, SESSION_LIVES, seconds, sweepDay } from './rows.ts'
import { markEnded } from './sessions.ts'

/**
 * The result of a refresh: a grant for two tokens, or why there is none. `current` is the current generation, `wait` the
 * seconds until the refresh is not too early.
 */
export type Refreshed =
  | { readonly verdict: Granting; readonly grant: Grant; readonly elsewhere: boolean }
  | { readonly verdict: Exclude<Refusing, 'dead'>; readonly current: number }
  | { readonly verdict: 'dead' }
  | { readonly verdict: 'early'; readonly wait: number }

interface Row extends Grant, SessionState {
  readonly ip: string | null
  readonly user_agent: string | null
}

/** How refresh tokens rotate, and how long an unused session lives, in seconds. */
export type RefreshSettings = RotationSettings & { readonly idle: number }

/** A genuine access token of the same session, which the client still has, and after how many seconds it wants another. */
export interface Held {
  readonly epoch: number
  readonly wait: number
}

/** What a client shows, and who it is. */
interface Showing {
  readonly shown: RefreshClaims
  readonly held?: Held | undefined
  readonly from: Client
}

/** Most rounds after lost races; two were always enough when 50 refreshes of one token raced. */
const MOST_ROUNDS = 5

/**
 * Applies the rule of refresh to the session of a token: reads, decides, and writes only what the decision needs,
 * guarded by the generation that was read.
 *
 * Runs in autocommit, so the end of a stolen session stays although its request fails. The grant comes only from the
 * row that was used for the decision. A client that holds an access token of the user's present epoch, and wants no other
 * yet, gets `early` in the place of a grant, and nothing is written. Throws `unavailable` after too many lost races.
 */
export async function refreshSession(acting: Acting, showing: Showing, settings: RefreshSettings): Promise<Refreshed> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    try {
      const refreshed = await attempt(acting, showing, settings)
      if (refreshed) return refreshed
    } catch (error) {
      if (!isToBeRepeated(error)) throw error
    }
  }
  throw unavailable(`session ${showing.shown.sid}: the refresh lost ${MOST_ROUNDS} races`)
}

// Returns nothing if another request has changed the session since it was read.
async function attempt(
  acting: Acting,
  { shown, held, from }: Showing,
  settings: RefreshSettings
): Promise<Refreshed | undefined> {
  const { database } = acting
  const row = await read(database, shown)
  if (!row) return { verdict: 'dead' }
  const verdict = decide(row, shown, settings)
  const refused = verdict === 'dead' || verdict === 'ahead' || verdict === 'theft'
  if (!refused && held && held.epoch === row.epoch && held.wait > 0) return { verdict: 'early', wait: held.wait }
  switch (verdict) {
    case 'next':
    case 'forward': {
      // Without rotation a client keeps the token that it has.
      const to = shown.generation + (settings.rotation ? 1 : 0)
      const rotation = { to, from, idle: settings.idle }
      const rotated = await (verdict === 'next'
        ? rotate(database, row, rotation)
        : moveOn(acting, row, { ...rotation, shown }))
      return rotated && { verdict, grant: { ...row, ...rotated }, elsewhere: false }
    }
    case 'same':
      return (await renew(database, row, from, settings.idle)) ? { verdict, grant: row, elsewhere: false } : undefined
    case 'again':
      return { verdict, grant: row, elsewhere: row.ip !== from.ip || row.user_agent !== from.userAgent }
    case 'theft': {
      return (await endStolen(acting, row, { shown, from })) ? { verdict, current: row.generation } : undefined
    }
    case 'ahead':
      return { verdict, current: row.generation }
    case 'dead':
      return { verdict }
  }
}

async function read(database: Queryable, { sid, sub }: RefreshClaims): Promise<Row | undefined> {
  const [row] = await database.query<Row>(
    `/* session_find */ SELECT ${GRANT_COLUMNS}, s.ip, s.user_agent, ${SESSION_LIVES} AND ${USER_ENABLED} AS alive,
            ARRAY(SELECT extract(epoch FROM now() - at)::float8
                    FROM unnest(s.superseded_at) WITH ORDINALITY AS past(at, place) ORDER BY place) AS superseded_ago
       FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND u.id = $2`,
    [sid, sub]
  )
  return row
}

/** The fields of an event about a token that was shown; `current` is the generation afterwards. */
export function shownFields({ sub, sid, generation }: RefreshClaims, { ip, userAgent }: Client, current: number) {
  return { user: sub, session: sid, shown: generation, current, ip, user_agent: userAgent }
}

function endStolen(acting: Acting, row: Row, { shown, from }: Pick<Showing, 'shown' | 'from'>): Promise<boolean> {
  return transact(acting, async (connection, note) => {
    const ended = await markEnded(connection, { sid: row.sid, userId: row.user_id, reason: 'reuse' })
    if (ended) note('refresh_reuse', shownFields(shown, from, row.generation))
    return ended
  })
}

type Rotated = Pick<Grant, 'generation' | 'iat' | 'idle_end' | 'now'>

interface Rotation {
  readonly to: number
  readonly from: Client
  readonly idle: number
}

function moveOn(
  acting: Acting,
  row: Row,
  { shown, ...rotation }: Rotation & Pick<Showing, 'shown'>
): Promise<Rotated | undefined> {
  return transact(acting, async (connection, note) => {
    const rotated = await rotate(connection, row, rotation)
    const message = 'the database has lost commits: the session was moved on'
    if (rotated) note('refresh_ahead', shownFields(shown, rotation.from, rotated.generation), { message })
    return rotated
  })
}

// All earlier generations that were not superseded are superseded now.
async function rotate(
  database: Queryable,
  { sid, generation }: Row,
  { to, from, idle }: Rotation
): Promise<Rotated | undefined> {
  const end = idleEnd('$4', 's.ends_at')
  const [rotated] = await database.query<Rotated>(
    `/* session_rotate */ UPDATE sessions s SET generation = $3,
            superseded_at = (array_fill(now(), ARRAY[($3 - s.generation)::int]) || s.superseded_at)[1:8],
            last_used_at = now(), idle_ends_at = ${end}, sweep_on = ${sweepDay(end)}, ip = $5, user_agent = $6
      WHERE s.id = $1 AND s.generation = $2 AND s.ended_at IS NULL
      RETURNING s.generation, ${seconds('s.superseded_at[1]')} AS iat, ${seconds('s.idle_ends_at')} AS idle_end,
                ${seconds('now()')} AS now`,
    [sid, generation, to, idle, from.ip, from.userAgent]
  )
  return rotated
}

/** Shortest extension of the idle end, in seconds: many uses of one token must not write each time. */
const LEAST_RENEWAL = 60

// Without rotation the token stays, and only the row notes its use. Returns whether the session still lives.
async function renew(database: Queryable, row: Row, from: Client, idle: number): Promise<boolean> {
  const gained = Math.min(row.now + idle, row.end) - row.idle_end
  if (gained < Math.min(LEAST_RENEWAL, idle / 10)) return true
  const end = idleEnd('$2', 's.ends_at')
  const renewed = await database.query(
    `/* session_renew */ UPDATE sessions s SET last_used_at = now(), idle_ends_at = ${end}, sweep_on = ${sweepDay(end)}, ip = $3, user_agent = $4
      WHERE s.id = $1 AND s.ended_at IS NULL RETURNING s.id`,
    [row.sid, idle, from.ip, from.userAgent]
  )
  return renewed.length > 0
}
