import type { Queryable } from './pool.ts'

/** Rows that one statement removes at the most: a sweep must not hold up the requests that use the same table. */
export const BATCH = 500

/**
 * Runs a statement that removes at most {@link BATCH} rows and returns them, until it finds fewer or `stopping` is aborted.
 *
 * Returns the number of rows. Any number of instances may do it at once, where the statement skips locked rows. It has to
 * choose the rows once, in a materialised CTE: as a subquery of IN a plan may choose anew for each row, past what it has
 * deleted, and so remove any number.
 */
export async function removeInBatches(
  database: Queryable,
  { statement, values = [] }: { statement: string; values?: readonly unknown[] },
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
