import type { Queryable } from '@latchkey/database/pool'

/** What `verify` and the log of a service say where {@link ownsLog} is true. */
export const OWNS_LOG =
  "the audit log is not safe from the service: its database user may change and remove records. Give the service a user of its own: DATABASE_URL is the service's, MIGRATION_DATABASE_URL the owner's, and npm run migrate sets the rights"

/**
 * Tells whether the connected user may change or remove records of the audit log: it is a superuser, or the owner of the
 * table or of its schema, or was given such rights.
 */
export async function ownsLog(database: Queryable): Promise<boolean> {
  const [row] = await database.query<{ owns: boolean }>(
    `SELECT pg_has_role(c.relowner, 'MEMBER') OR pg_has_role(n.nspowner, 'MEMBER')
         OR has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER') OR has_column_privilege(c.oid, 'seq', 'UPDATE')
         OR has_column_privilege(c.oid, 'hash', 'UPDATE') OR has_column_privilege(c.oid, 'detail', 'UPDATE') AS owns
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 'audit_records'::regclass`
  )
  return row?.owns ?? false
}
