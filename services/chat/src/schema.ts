import { fileURLToPath } from 'node:url'
import { storeRetention } from '@latchkey/audit/retention'
import { AUDIT_SCHEMA } from '@latchkey/audit/schema'
import { findMissingMigration, type Migration, migrateSchema, type Schema } from '@latchkey/database/migrate'
import type { Queryable } from '@latchkey/database/pool'

/** The tables of the chat, and the rights that its statements need on each. */
const SCHEMA = {
  migrations: [fileURLToPath(new URL('../migrations', import.meta.url)), ...AUDIT_SCHEMA.migrations],
  rights: {
    ...AUDIT_SCHEMA.rights,
    rooms: 'SELECT, INSERT, UPDATE',
    heads: 'SELECT, INSERT, UPDATE',
    members: 'SELECT, INSERT, UPDATE, DELETE',
    bans: 'SELECT, INSERT, DELETE',
    invites: 'SELECT, INSERT, UPDATE, DELETE',
    tickets: 'SELECT, INSERT, UPDATE, DELETE',
    events: 'SELECT, INSERT, UPDATE',
    stream: 'SELECT'
  },
  functions: AUDIT_SCHEMA.functions
} satisfies Schema

/**
 * Brings the database of the chat up to date, as {@link migrateSchema} does. `auditRetention` is how long the records of
 * the audit log are kept, in seconds; by default as before.
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
