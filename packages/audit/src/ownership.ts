import type { Queryable } from '@latchkey/database/pool'

/** What `verify` and the log of a service say where {@link ownsLog} is true. */
export const OWNS_LOG =
  "the audit log is not safe from the service: its database user may change and remove records. Give the service a user of its own: DATABASE_URL is the service's, MIGRATION_DATABASE_URL the owner's, and npm run migrate sets the rights"

/**
 * Tells whether the connected user may change or remove records of the audit log: it is a superuser, or the owner of a
 * table, of a function or of the schema, or was given such rights. Who may make functions in the schema can put their own
 * in the place of those that the functions of the log call.
 */
export async function ownsLog(database: Queryable): Promise<boolean> {
  const [row] = await database.query<{ owns: boolean }>(
    `/* audit_ownership */ SELECT bool_or(pg_has_role(c.relowner, 'MEMBER') OR has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER')
                    OR (c.relname <> 'audit_records' AND has_table_privilege(c.oid, 'UPDATE'))
                    OR (c.relname = 'audit_records' AND (has_column_privilege(c.oid, 'seq', 'UPDATE')
                        OR has_column_privilege(c.oid, 'hash', 'UPDATE') OR has_column_privilege(c.oid, 'detail', 'UPDATE'))))
         OR bool_or(pg_has_role(n.nspowner, 'MEMBER') OR has_schema_privilege(n.oid, 'CREATE'))
         OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = min(n.oid) AND p.proname IN ('audit_seal', 'audit_prune')
                       AND pg_has_role(p.proowner, 'MEMBER')) AS owns
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid IN ('audit_records'::regclass, 'audit_head'::regclass, 'audit_heads'::regclass, 'audit_settings'::regclass)`
  )
  return row?.owns ?? false
}
