import { BATCH, removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import { HAS_ENDED } from './life.ts'
import { numberRows } from './source.ts'

// The last row stays: it is a place in the feed.
const ENDED: Statement = `/* revocations_sweep */
  WITH old AS MATERIALIZED (
    SELECT r.id FROM revocations r
     WHERE r.kind <> 'key' AND r.seq < (SELECT seq FROM feed_head) AND ${HAS_ENDED}
     ORDER BY r.sealed_at LIMIT ${BATCH} FOR UPDATE OF r SKIP LOCKED)
  DELETE FROM revocations r USING old WHERE r.id = old.id RETURNING r.id`

/**
 * Removes the rows of the revocation feed that refuse nothing any more, after it has numbered those that wait: where no
 * instance serves the feed, nobody else does. Returns the number of rows.
 */
export async function sweepRevocations(database: Queryable, stopping?: AbortSignal): Promise<number> {
  while (!stopping?.aborted && (await numberRows(database)).isFull);
  return removeInBatches(database, { statement: ENDED }, stopping)
}
