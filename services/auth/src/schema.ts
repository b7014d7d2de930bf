import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Queryable } from './database.ts'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
const TABLE = 'pgmigrations'

/** Longest wait for another migrator that is at work, in milliseconds. */
const LOCK_TIMEOUT = 60_000

/**
 * Brings the schema of a database up to date, all steps or none.
 *
 * Safe to run at once from several places: one works, the others wait for it and find nothing to do.
 */
export async function migrate(databaseUrl: string, log: (line: string) => void = () => {}): Promise<void> {
  // Read when it is needed: it would take the service a tenth of its start, which only looks.
  const { runner } = await import('node-pg-migrate')
  const client = new pg.Client({ connectionString: databaseUrl, options: `-c lock_timeout=${LOCK_TIMEOUT}` })
  client.on('error', (error) => log(error.message))
  await client.connect()
  try {
    await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: 'up',
      migrationsTable: TABLE,
      singleTransaction: true,
      advisoryLockMode: 'wait',
      checkOrder: true,
      log
    })
  } finally {
    await client.end()
  }
}

/** Names the first migration that the database lacks, or nothing when its schema is current. */
export async function missingMigration(database: Queryable): Promise<string | undefined> {
  const wanted = (await readdir(MIGRATIONS)).map((file) => file.replace(/\.sql$/, '')).sort()
  const [table] = await database.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [TABLE])
  const applied = table?.exists ? await database.query<{ name: string }>(`SELECT name FROM ${TABLE}`) : []
  const names = new Set(applied.map(({ name }) => name))
  return wanted.find((name) => !names.has(name))
}
