import { readConfig } from '@latchkey/frame/config'
import { reasonOf } from '@latchkey/problems/reason'
import { migrationSettings } from './config.ts'
import { migrate } from './schema.ts'

// The command behind `npm run migrate -w services/chat`: brings the schema of the database up to date, and gives the
// service's user its rights.
try {
  const { DATABASE_URL, MIGRATION_DATABASE_URL = DATABASE_URL } = readConfig(migrationSettings, process.env)
  await migrate({ url: MIGRATION_DATABASE_URL, serviceUrl: DATABASE_URL }, console.log)
} catch (error) {
  console.error(`migrate: ${reasonOf(error)}`)
  process.exitCode = 1
}
