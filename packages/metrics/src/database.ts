import type { AuditBacklog } from '@latchkey/audit/backlog'
import type { PoolCounts } from '@latchkey/database/pool'
import type { Reader } from './open.ts'

/** What is read of a service with a database and an audit log. */
interface WithDatabase {
  readonly database: { counts(): PoolCounts }
  readonly refusals: { readonly unwritten: number }
  /** Asks the database what waits for the sealer. */
  readonly backlog: () => Promise<AuditBacklog>
}

/** Makes the reader of the pool and the audit log. While the database is away, `latchkey_database_up` is 0. */
export function databaseReader({ database, refusals, backlog }: WithDatabase): Reader {
  return async (set) => {
    const { idle, busy, waiting, errors } = database.counts()
    set('latchkey_database_connections', idle, { state: 'idle' })
    set('latchkey_database_connections', busy, { state: 'busy' })
    set('latchkey_database_connections', waiting, { state: 'waiting' })
    set('latchkey_database_errors_total', errors.get('connection') ?? 0, { class: 'connection' })
    for (const [name, failed] of errors) set('latchkey_database_errors_total', failed, { class: name })
    set('latchkey_audit_refusals_waiting', refusals.unwritten)
    try {
      const { records, age } = await backlog()
      set('latchkey_audit_unsealed_records', records)
      set('latchkey_audit_seal_lag_seconds', age)
      set('latchkey_database_up', 1)
    } catch {
      // It is counted above, and the service logs its own errors.
      set('latchkey_database_up', 0)
    }
  }
}
