import type { Queryable } from '@latchkey/database/pool'

/**
 * Stores how long records are kept, in seconds; 0 is for ever. Only the owner of the tables may, so that a service
 * cannot shorten it. `log` gets a line if it changes.
 */
export async function storeRetention(owner: Queryable, seconds: number, log: (line: string) => void): Promise<void> {
  const [changed] = await owner.query<{ retention: string }>(
    `/* audit_retention_store */ UPDATE audit_settings SET retention = make_interval(secs => $1) WHERE retention <> make_interval(secs => $1)
      RETURNING justify_hours(retention)::text AS retention`,
    [seconds]
  )
  if (changed) log(`records of the audit log are kept ${seconds === 0 ? 'for ever' : changed.retention} from now on`)
}
