import { createDatabase } from '@latchkey/database/create-database'
import { readConfig } from '@latchkey/frame/config'
import { reasonOf } from '@latchkey/problems/reason'
import { migrationSettings } from './config.ts'
import { migrate } from './schema.ts'

// The command behind `npm run migrate -w services/chat`: makes the database, where it may, brings its schema up to date,
// stores how long the audit log is kept, and gives the service's user its rights.
try {
  const settings = readConfig(migrationSettings, process.env)
  const { DATABASE_URL, MIGRATION_DATABASE_URL = DATABASE_URL, ADMIN_DATABASE_URL, AUDIT_RETENTION } = settings
  const users = { url: MIGRATION_DATABASE_URL, serviceUrl: DATABASE_URL }
  if (ADMIN_DATABASE_URL !== undefined) await createDatabase(ADMIN_DATABASE_URL, users, console.log)
  await migrate({ ...users, auditRetention: AUDIT_RETENTION }, console.log)
} catch (error) {
  console.error(`migrate: ${reasonOf(error)}`)
  process.exitCode = 1
}
