import type { Queryable } from '@latchkey/database/pool'

/** What one removal took away: records up to this one. */
export interface Removal {
  readonly seq: number
  /** The hash of that record, in hex. */
  readonly hash: string
  readonly records: number
}

/** About how many records one statement removes. */
const STEP = 10_000

/**
 * Removes records that are older than the retention, up to the last stored head that allows it, in steps. `told` gets
 * each step. Returns how many were removed, also when `stopping` ends it early.
 */
export async function prune(
  database: Queryable,
  told: (removal: Removal) => void = () => {},
  stopping?: AbortSignal
): Promise<number> {
  let removed = 0
  while (!stopping?.aborted) {
    const [removal] = await database.query<Removal>(
      "/* audit_prune */ SELECT seq, encode(hash, 'hex') AS hash, records FROM audit_prune($1)",
      [STEP]
    )
    if (!removal) return removed
    removed += removal.records
    told(removal)
  }
  return removed
}

/** Removes what {@link prune} does, and says so in a sentence. */
export async function pruneAll(database: Queryable): Promise<string> {
  const [setting] = await database.query<{ retention: string; forever: boolean }>(
    "/* audit_retention_read */ SELECT retention::text, retention <= '0' AS forever FROM audit_settings"
  )
  if (!setting || setting.forever) return 'nothing was removed: records are kept for ever (AUDIT_RETENTION is 0)'
  let last = 0
  const removed = await prune(database, ({ seq }) => {
    last = seq
  })
  const kept = `records are kept for ${setting.retention}`
  if (removed === 0) return `nothing was removed: ${kept}, and no stored head has only older ones before it`
  return `${removed.toLocaleString('en')} records were removed, up to record ${last}: ${kept}. The log begins at the head of that record now`
}
