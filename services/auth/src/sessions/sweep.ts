import { BATCH, removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'

/** Shortest time that ended sessions are kept after their last access token, in seconds. */
const MARGIN = 3600

// An index on a day finds the rows; SKIP LOCKED skips a session that is being renewed.
const ENDED: Statement = `/* sessions_sweep */
  WITH old AS MATERIALIZED (
    SELECT s.id FROM sessions s
     WHERE s.sweep_on <= now()::date
       AND coalesce(s.ended_at, s.idle_ends_at) < now() - make_interval(secs => $1::float8)
     ORDER BY s.sweep_on LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  DELETE FROM sessions s USING old WHERE s.id = old.id RETURNING s.id`

/**
 * Removes the sessions whose last access token expired more than an hour ago. `accessLife` is the life of a token in
 * seconds, with leeway. Returns the number of rows.
 */
export async function sweepSessions(database: Queryable, accessLife: number, stopping?: AbortSignal): Promise<number> {
  return removeInBatches(database, { statement: ENDED, values: [accessLife + MARGIN] }, stopping)
}
