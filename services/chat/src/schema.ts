import { fileURLToPath } from 'node:url'
import { findMissingMigration, type Migration, migrateSchema, type Schema } from '@latchkey/database/migrate'
import type { Queryable } from '@latchkey/database/pool'

/** The tables of the chat, and the rights that its statements need on each. */
const SCHEMA = {
  migrations: [fileURLToPath(new URL('../migrations', import.meta.url))],
  rights: {
    rooms: 'SELECT, INSERT, UPDATE',
    heads: 'SELECT, INSERT, UPDATE',
    members: 'SELECT, INSERT, UPDATE, DELETE',
    bans: 'SELECT, INSERT, DELETE',
    invites: 'SELECT, INSERT, UPDATE, DELETE',
    tickets: 'SELECT, INSERT, UPDATE, DELETE',
    events: 'SELECT, INSERT, UPDATE',
    stream: 'SELECT'
  }
} satisfies Schema

/** Brings the database of the chat up to date, as {@link migrateSchema} does. */
export function migrate(users: Migration, log?: (line: string) => void): Promise<void> {
  return migrateSchema(SCHEMA, users, log)
}

/** Names the first migration that the database lacks, or nothing if it is up to date. */
export function missingMigration(database: Queryable): Promise<string | undefined> {
  return findMissingMigration(database, SCHEMA)
}
