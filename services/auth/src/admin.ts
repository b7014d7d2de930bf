import { readConfig } from '@latchkey/service/config'
import { Type } from 'typebox'
import { findByEmail } from './accounts/users.ts'
import { databaseUrl } from './config.ts'
import { type Database, openDatabase } from './database.ts'
import { changeRole, disableUser, enableUser, endSessions } from './users/administration.ts'

// The command behind `npm run admin`: makes the first administrator, and helps when nobody can log in as one.
const COMMANDS: Record<
  string,
  { words: string; run: (database: Database, id: string, role: string) => Promise<unknown> }
> = {
  grant: { words: '<role> <email>', run: (database, id, role) => changeRole(database, id, role, true) },
  revoke: { words: '<role> <email>', run: (database, id, role) => changeRole(database, id, role, false) },
  disable: { words: '<email>', run: disableUser },
  enable: { words: '<email>', run: enableUser },
  'end-sessions': { words: '<email>', run: endSessions }
}

const USAGE = Object.entries(COMMANDS).map(([name, { words }]) => `  npm run admin -- ${name} ${words}`)

try {
  const [name = '', ...words] = process.argv.slice(2)
  const command = COMMANDS[name]
  if (!command || words.length !== command.words.split(' ').length) throw new Error(`usage:\n${USAGE.join('\n')}`)
  const [email = '', role = ''] = words.toReversed()
  if (role && !/^[a-z][a-z0-9_-]{0,31}$/.test(role))
    throw new Error(`${role} is no role: a word of lower-case letters is.`)
  const { DATABASE_URL } = readConfig(Type.Object({ DATABASE_URL: databaseUrl }), process.env)
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 1, DATABASE_TIMEOUT: 10 }, () => {})
  try {
    const account = await findByEmail(database, email)
    if (!account) throw new Error(`no account has the address ${email}.`)
    await command.run(database, account.id, role)
    console.log(`${[name, role].join(' ').trim()}: done for ${account.email} (${account.id})`)
  } finally {
    await database.close()
  }
} catch (error) {
  console.error(`admin: ${(error as Error).message}`)
  process.exitCode = 1
}
