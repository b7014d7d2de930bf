import { onDatabase as onDatabaseOf } from '@latchkey/database/on-database'
import type { Database } from '@latchkey/database/pool'
import { readConfig } from '@latchkey/frame/config'
import { type Static, Type } from 'typebox'
import { authSettings } from './config.ts'
import { missingMigration } from './schema.ts'

const { DATABASE_URL, DATABASE_PREPARE, NODE_ENV, LOG_LEVEL } = authSettings.properties
const SETTINGS = Type.Object({ DATABASE_URL, DATABASE_PREPARE, NODE_ENV, LOG_LEVEL })

/**
 * Runs a command of an operator on the database of the settings, which is closed afterwards. `patience` is the
 * ANSWER_TIMEOUT of its statements, in seconds.
 *
 * Throws if the database is away or lacks a migration.
 */
export async function onDatabase<T>(
  env: Readonly<Record<string, string | undefined>>,
  patience: number,
  command: (database: Database, config: Readonly<Static<typeof SETTINGS>>) => Promise<T>
): Promise<T> {
  const config = readConfig(SETTINGS, env)
  const { DATABASE_URL, DATABASE_PREPARE } = config
  const place = { DATABASE_URL, DATABASE_PREPARE, patience, workspace: 'services/auth', missingMigration }
  return onDatabaseOf(place, (database) => command(database, config))
}
