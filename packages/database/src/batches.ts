import type { Queryable } from './pool.ts'
import type { Statement } from './statement.ts'

/** Most rows that one statement removes, so that it does not delay the requests that use the table. */
export const BATCH = 500

/**
 * Repeats a statement that removes at most {@link BATCH} rows and returns them, until it finds fewer or `stopping` is
 * aborted. Returns the number of removed rows.
 *
 * If the statement skips locked rows, any number of instances may run it at once. It must choose its rows in a
 * materialised CTE: a plan may evaluate a subquery of IN again for each row, and so remove too many.
 */
export async function removeInBatches(
  database: Queryable,
  { statement, values = [] }: { statement: Statement; values?: readonly unknown[] },
  stopping?: AbortSignal
): Promise<number> {
  let removed = 0
  let batch = BATCH
  while (batch === BATCH && !stopping?.aborted) {
    batch = (await database.query(statement, values)).length
    removed += batch
  }
  return removed
}
