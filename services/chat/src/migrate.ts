import { readConfig } from '@latchkey/frame/config'
import { reasonOf } from '@latchkey/problems/reason'
import { migrationSettings } from './config.ts'
import { migrate } from './schema.ts'

// The command behind `npm run migrate -w services/chat`: brings the schema of the database up to date, stores how long
// the audit log is kept, and gives the service's user its rights.
try {
  const settings = readConfig(migrationSettings, process.env)
  const { DATABASE_URL, MIGRATION_DATABASE_URL = DATABASE_URL, AUDIT_RETENTION } = settings
  await migrate({ url: MIGRATION_DATABASE_URL, serviceUrl: DATABASE_URL, auditRetention: AUDIT_RETENTION }, console.log)
} catch (error) {
  console.error(`migrate: ${reasonOf(error)}`)
  process.exitCode = 1
}
