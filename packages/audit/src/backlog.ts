import type { Queryable } from '@latchkey/database/pool'

/** Most records that are counted: more is as bad, and takes longer. */
const MOST = 10_000

/** What waits for the sealer. */
export interface AuditBacklog {
  /** At most 10,000. */
  readonly records: number
  /** The age of the oldest, in seconds; 0 without any. */
  readonly age: number
}

/** Counts the records that wait for the sealer; for metrics. */
export async function readBacklog(database: Queryable): Promise<AuditBacklog> {
  const [backlog] = await database.query<AuditBacklog>(
    `/* audit_backlog */ SELECT count(*) AS records, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS age
       FROM (SELECT at FROM audit_records WHERE seq IS NULL ORDER BY at, id LIMIT ${MOST}) AS unsealed`
  )
  return backlog ?? { records: 0, age: 0 }
}
