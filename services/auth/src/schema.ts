import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { reasonOf } from '@latchkey/tokens/reason'
import pg from 'pg'
import type { Queryable } from './database.ts'
import { MIGRATIONS_TABLE, takeOverMigrations } from './migrations-table.ts'
import { admitService } from './service-role.ts'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

/** Longest wait for another migrator that is at work, in milliseconds. */
const LOCK_TIMEOUT = 60_000

/** The advisory lock of whoever migrates: a number of our own, as PostgreSQL wants it. */
const LOCK = 7_361_254_909

/** Who migrates, and who uses what was made. */
export interface Migration {
  /** Of the owner of the tables. */
  readonly url: string
  /** Of the service; by default `url`. */
  readonly serviceUrl?: string
}

/**
 * Brings the schema of a database up to date, all steps or none, in the first schema of the search path. Then gives the
 * user of `serviceUrl`, where it is another than that of `url`, the rights to rows that the service needs, and no more.
 *
 * Safe to run at once from several places: one works, the others wait for it and find nothing to do.
 */
export async function migrate(
  { url, serviceUrl = url }: Migration,
  log: (line: string) => void = () => {}
): Promise<void> {
  // Read when it is needed: it would take the service a tenth of its start, which only looks.
  const { runner } = await import('node-pg-migrate')
  const client = new pg.Client({ connectionString: url })
  client.on('error', (error) => log(reasonOf(error)))
  await client.connect()
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT}`)
    await client.query(`SELECT pg_advisory_lock(${LOCK})`)
    const schema = await schemaOf(client)
    await takeOverMigrations(client, schema.quoted, await migrationNames())
    await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: 'up',
      migrationsTable: MIGRATIONS_TABLE,
      migrationsSchema: schema.name,
      singleTransaction: true,
      // That of an older version of this command.
      advisoryLockMode: 'wait',
      checkOrder: true,
      log
    })
    await admitService(client, serviceUrl, log)
  } finally {
    await client.end()
  }
}

async function schemaOf(client: pg.Client): Promise<{ name: string; quoted: string }> {
  const { rows } = await client.query<{ name: string | null; quoted: string }>(
    'SELECT current_schema() AS name, quote_ident(current_schema()) AS quoted'
  )
  const [{ name, quoted } = { name: null, quoted: '' }] = rows
  if (name === null) throw new Error('the search path names no schema that is there: make it with CREATE SCHEMA')
  return { name, quoted }
}

async function migrationNames(): Promise<string[]> {
  return (await readdir(MIGRATIONS)).map((file) => file.replace(/\.sql$/, '')).sort()
}

/** Names the first migration that the database lacks, or nothing when its schema is current. */
export async function missingMigration(database: Queryable): Promise<string | undefined> {
  const wanted = await migrationNames()
  const [table] = await database.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [
    MIGRATIONS_TABLE
  ])
  const applied = table?.exists ? await database.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`) : []
  const names = new Set(applied.map(({ name }) => name))
  return wanted.find((name) => !names.has(name))
}
