import { type Database, openDatabase, type Queryable } from './pool.ts'

/** What a command needs to know of the database of a service. */
interface Place {
  readonly DATABASE_URL: string
  readonly DATABASE_PREPARE: 'on' | 'off'
  /** The ANSWER_TIMEOUT of its statements, in seconds. */
  readonly patience: number
  /** The workspace whose migrations the database needs, as in `services/auth`. */
  readonly workspace: string
  /** Names the first migration that the database lacks. */
  readonly missingMigration: (database: Queryable) => Promise<string | undefined>
}

/**
 * Runs a command of an operator on the database of a service, by one connection, which is closed afterwards.
 *
 * Throws if the database is away or lacks a migration.
 */
export async function onDatabase<T>(
  { patience, workspace, missingMigration, ...url }: Place,
  command: (database: Database) => Promise<T>
): Promise<T> {
  const database = openDatabase({ ...url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: patience }, () => {})
  try {
    const missing = await missingMigration(database)
    if (missing) throw new Error(`the database lacks migration ${missing}: npm run migrate -w ${workspace} makes it`)
    return await command(database)
  } finally {
    await database.close()
  }
}
