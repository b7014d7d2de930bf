import { fileURLToPath } from 'node:url'
import { storeRetention } from '@latchkey/audit/retention'
import { AUDIT_SCHEMA } from '@latchkey/audit/schema'
import { findMissingMigration, type Migration, migrateSchema, type Schema } from '@latchkey/database/migrate'
import type { Queryable } from '@latchkey/database/pool'

/** The tables of the auth service, and the rights that its statements need on each. */
const SCHEMA = {
  migrations: [fileURLToPath(new URL('../migrations', import.meta.url)), ...AUDIT_SCHEMA.migrations],
  rights: {
    ...AUDIT_SCHEMA.rights,
    users: 'SELECT, INSERT, UPDATE',
    sessions: 'SELECT, INSERT, UPDATE, DELETE',
    attempts: 'SELECT, INSERT, UPDATE, DELETE',
    signing_keys: 'SELECT, INSERT, UPDATE',
    mail_requests: 'SELECT, INSERT, UPDATE, DELETE',
    signups: 'SELECT, INSERT, UPDATE, DELETE',
    mails: 'SELECT, INSERT, UPDATE, DELETE',
    codes: 'SELECT, INSERT, UPDATE, DELETE',
    mailings: 'SELECT, INSERT, UPDATE, DELETE',
    revocations: 'SELECT, INSERT, UPDATE, DELETE',
    feed_head: 'SELECT, UPDATE',
    feed_receivers: 'SELECT, INSERT, UPDATE, DELETE',
    signal_streams: 'SELECT, INSERT, UPDATE, DELETE',
    signals_given: 'SELECT, INSERT, DELETE'
  },
  functions: { ...AUDIT_SCHEMA.functions, 'number_revocations(integer)': 'EXECUTE' }
} satisfies Schema

/**
 * Brings the database of the auth service up to date, as {@link migrateSchema} does. `auditRetention` is how long the
 * records of the audit log are kept, in seconds; by default as before.
 */
export function migrate(
  { auditRetention, ...users }: Migration & { readonly auditRetention?: number },
  log?: (line: string) => void
): Promise<void> {
  if (auditRetention === undefined) return migrateSchema(SCHEMA, users, log)
  return migrateSchema({ ...SCHEMA, settle: (owner, log) => storeRetention(owner, auditRetention, log) }, users, log)
}

/** Names the first migration that the database lacks, or nothing if it is up to date. */
export function missingMigration(database: Queryable): Promise<string | undefined> {
  return findMissingMigration(database, SCHEMA)
}
