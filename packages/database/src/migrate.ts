import { readdir } from 'node:fs/promises'
import { reasonOf } from '@latchkey/problems/reason'
import pg from 'pg'
import { MIGRATIONS_TABLE, takeOverMigrations } from './migrations-table.ts'
import type { Queryable } from './pool.ts'
import { prepareServiceRole } from './service-role.ts'
import { connectionOf } from './url.ts'

/** The schema of a service. */
export interface Schema {
  /** The folders of its migrations: SQL files with a date, which run in the order of their names. */
  readonly migrations: readonly string[]
  /**
   * The rights that its statements need on each table, such as `SELECT, INSERT`. UPDATE includes locks (FOR SHARE, LOCK
   * TABLE).
   */
  readonly rights: Readonly<Record<string, string>>
  /** The rights that it needs on each function of the migrations, by its signature: `EXECUTE`, or none. */
  readonly functions?: Readonly<Record<string, string>>
  /** What the owner writes at each migration, such as settings that the service can only read. */
  readonly settle?: (owner: Queryable, log: (line: string) => void) => Promise<void>
}

/** Longest wait for another migration that is running, in milliseconds. */
const LOCK_TIMEOUT = 60_000

/** The advisory lock of a migration: a number of our own. */
const LOCK = 7_361_254_909

/** The two database users of a migration. */
export interface Migration {
  /** The URL of the owner of the tables. */
  readonly url: string
  /** The URL of the service; by default `url`. */
  readonly serviceUrl?: string
}

/**
 * Brings the schema of a database up to date, all steps or none, in the first schema of the search path. Then gives the
 * user of `serviceUrl`, if it differs from that of `url`, the rights that the service needs, and no others.
 *
 * Safe to run several times at once: one run works, the others wait and find nothing to do.
 */
export async function migrateSchema(
  { migrations, rights, functions = {}, settle }: Schema,
  { url, serviceUrl = url }: Migration,
  log: (line: string) => void = () => {}
): Promise<void> {
  // Loaded only here: it would take a tenth of the service's start, which only looks.
  const { runner } = await import('node-pg-migrate')
  const client = new pg.Client(connectionOf(url))
  client.on('error', (error) => log(reasonOf(error)))
  await client.connect()
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT}`)
    await client.query(`SELECT pg_advisory_lock(${LOCK})`)
    const schema = await schemaOf(client)
    await takeOverMigrations(client, schema.quoted, await migrationNames(migrations))
    await runner({
      dbClient: client,
      dir: migrations.map(filesOf),
      useGlob: true,
      direction: 'up',
      migrationsTable: MIGRATIONS_TABLE,
      migrationsSchema: schema.name,
      singleTransaction: true,
      // The lock of an older version of this command.
      advisoryLockMode: 'wait',
      checkOrder: true,
      log
    })
    const query = async <R extends object>(sql: string, values: readonly unknown[] = []) =>
      (await client.query<R>(sql, [...values])).rows
    await settle?.({ query }, log)
    await prepareServiceRole(client, { serviceUrl, rights, functions }, log)
  } finally {
    await client.end()
  }
}

/** The schema of the tables. Throws if there can be none. */
async function schemaOf(client: pg.Client): Promise<{ name: string; quoted: string }> {
  const { rows } = await client.query<{ name: string | null; quoted: string; path: string; encoding: string }>(
    `SELECT current_schema() AS name, quote_ident(current_schema()) AS quoted,
            current_setting('search_path') AS path, current_setting('server_encoding') AS encoding`
  )
  const { name, quoted, path, encoding } = rows[0] as (typeof rows)[number]
  if (encoding !== 'UTF8') {
    throw new Error(
      `the database has the encoding ${encoding}, which lacks characters that names and addresses have: make another, with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`
    )
  }
  if (name === null) throw new Error(`the search path (${path}) names no schema that is there: CREATE SCHEMA makes one`)
  return { name, quoted }
}

async function migrationNames(folders: readonly string[]): Promise<string[]> {
  const files = await Promise.all(folders.map((folder) => readdir(folder)))
  return files
    .flat()
    .map((file) => file.replace(/\.sql$/, ''))
    .sort()
}

/** The pattern of the migrations in a folder, whose own name may have characters of patterns. */
function filesOf(folder: string): string {
  return `${folder.replace(/[\\*?[\]{}()!+@|,]/g, '\\$&')}/*.sql`
}

/** Names the first migration that the database lacks, or nothing when its schema is current. */
export async function findMissingMigration(
  database: Queryable,
  { migrations }: Pick<Schema, 'migrations'>
): Promise<string | undefined> {
  const wanted = await migrationNames(migrations)
  const [table] = await database.query<{ exists: boolean }>(
    '/* migrations_exist */ SELECT to_regclass($1) IS NOT NULL AS exists',
    [MIGRATIONS_TABLE]
  )
  const applied = table?.exists
    ? await database.query<{ name: string }>(`/* migrations_applied */ SELECT name FROM ${MIGRATIONS_TABLE}`)
    : []
  const names = new Set(applied.map(({ name }) => name))
  return wanted.find((name) => !names.has(name))
}
