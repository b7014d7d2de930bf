import { readConfig } from '@latchkey/service/config'
import { Type } from 'typebox'
import { databaseUrl } from './config.ts'
import { migrate } from './schema.ts'

// The command behind `npm run migrate`: brings the schema of the database that the environment names up to date.
try {
  const { DATABASE_URL } = readConfig(Type.Object({ DATABASE_URL: databaseUrl }), process.env)
  await migrate(DATABASE_URL, console.log)
} catch (error) {
  console.error(`migrate: ${(error as Error).message}`)
  process.exitCode = 1
}
