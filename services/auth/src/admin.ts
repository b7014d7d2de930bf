import { readConfig } from '@latchkey/service/config'
import { Type } from 'typebox'
import { findByEmail } from './accounts/users.ts'
import { authConfig, databaseUrl } from './config.ts'
import { type Database, openDatabase } from './database.ts'
import { listKeys } from './keys/list.ts'
import { revokeKey } from './keys/signing-keys.ts'
import { changeRole, disableUser, enableUser, endSessions } from './users/administration.ts'

// The command behind `npm run admin`: makes the first administrator, and helps when nobody can log in as one.

interface Command {
  readonly words: string
  /** Returns what was done. */
  run(database: Database, ...words: string[]): Promise<string>
}

const COMMANDS: Record<string, Command> = {
  grant: {
    words: '<role> <email>',
    run: (database, role = '', email) =>
      onUser(database, email, (id) => changeRole(database, id, checkRole(role), true))
  },
  revoke: {
    words: '<role> <email>',
    run: (database, role = '', email) =>
      onUser(database, email, (id) => changeRole(database, id, checkRole(role), false))
  },
  disable: { words: '<email>', run: (database, email) => onUser(database, email, (id) => disableUser(database, id)) },
  enable: { words: '<email>', run: (database, email) => onUser(database, email, (id) => enableUser(database, id)) },
  'end-sessions': {
    words: '<email>',
    run: (database, email) => onUser(database, email, (id) => endSessions(database, id))
  },
  keys: {
    words: '',
    run: async (database) => (await listKeys(database, authConfig(process.env))).join('\n')
  },
  'revoke-key': {
    words: '<kid>',
    run: async (database, kid = '') => {
      const kind = await revokeKey(database, kid)
      if (!kind) throw new Error(`no service has seen a key ${kid}; npm run admin -- keys lists them`)
      return `the ${kind} key ${kid} is revoked: within 10 s no instance accepts what it signed`
    }
  }
}

async function onUser(database: Database, email = '', change: (id: string) => Promise<unknown>): Promise<string> {
  const account = await findByEmail(database, email)
  if (!account) throw new Error(`no account has the address ${email}.`)
  await change(account.id)
  return `done for ${account.email} (${account.id})`
}

function checkRole(role: string): string {
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(role)) throw new Error(`${role} is no role: a word of lower-case letters is.`)
  return role
}

const USAGE = Object.entries(COMMANDS).map(([name, { words }]) => `  npm run admin -- ${name} ${words}`.trimEnd())

try {
  const [name = '', ...words] = process.argv.slice(2)
  const command = COMMANDS[name]
  if (!command || words.length !== command.words.split(' ').filter(Boolean).length)
    throw new Error(`usage:\n${USAGE.join('\n')}`)
  const { DATABASE_URL } = readConfig(Type.Object({ DATABASE_URL: databaseUrl }), process.env)
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 1, DATABASE_TIMEOUT: 10 }, () => {})
  try {
    console.log(await command.run(database, ...words))
  } finally {
    await database.close()
  }
} catch (error) {
  console.error(`admin: ${(error as Error).message}`)
  process.exitCode = 1
}
