import { type Database, openDatabase } from '@latchkey/database/pool'
import { emit } from '@latchkey/events/emit'
import type { EventFields } from '@latchkey/events/events'
import { readConfig } from '@latchkey/frame/config'
import { createLogger } from '@latchkey/frame/logger'
import { reasonOf } from '@latchkey/problems/reason'
import { Type } from 'typebox'
import { disableUser, enableUser, endSessions, grantRole, revokeRole } from './administration/actions.ts'
import { authConfig, authSettings } from './config.ts'
import { listKeys } from './keys/list.ts'
import { revokeKey } from './keys/signing-keys.ts'
import { isConfirmed } from './question.ts'
import { missingMigration } from './schema.ts'
import { revokeEverybody } from './sessions/revocation.ts'
import type { Account } from './users/account.ts'
import { A_ROLE } from './users/fields.ts'
import { findByEmail } from './users/find.ts'

// The command behind `npm run admin`: makes the first administrator, and helps if nobody can log in as one.

interface Command {
  readonly words: string
  readonly help: string
  /** Whether it may ask for confirmation, which `--yes` answers in advance. */
  readonly asks?: true
  run(on: { database: Database; yes: boolean }, ...words: string[]): Promise<Done>
}

/** The message about a change and what was changed; nothing if nothing was. */
interface Done {
  readonly said: string
  readonly changed?: Omit<EventFields<'admin_command'>, 'command'>
}

const COMMANDS: Record<string, Command> = {
  grant: {
    words: '<role> <email>',
    help: 'adds a role: it is in the next access token',
    asks: true,
    run: ({ database, yes }, role = '', email) =>
      onUser(
        database,
        email,
        async (account) => {
          checkRole(role)
          if (!yes) await askAboutUnverified(account, role)
          await grantRole(database, account, role)
        },
        `now has the role ${role}${howTo(role)}`
      )
  },
  revoke: {
    words: '<role> <email>',
    help: 'takes a role away',
    run: ({ database }, role = '', email) =>
      onUser(database, email, (who) => revokeRole(database, who, checkRole(role)), `has no role ${role}`)
  },
  disable: {
    words: '<email>',
    help: 'ends every session, and nobody logs in',
    run: ({ database }, email) => onUser(database, email, (who) => disableUser(database, who), 'is disabled')
  },
  enable: {
    words: '<email>',
    help: 'lets a disabled user log in again',
    run: ({ database }, email) => onUser(database, email, (who) => enableUser(database, who), 'may log in')
  },
  'end-sessions': {
    words: '<email>',
    help: 'ends every session of a user',
    run: ({ database }, email) =>
      onUser(database, email, (who) => endSessions(database, who), 'has no session any more')
  },
  'end-all-sessions': {
    words: '',
    help: 'ends those of all users, as is due after a backup was restored',
    run: async ({ database }) => ({
      said: `${await revokeEverybody(database)} users have no session any more`,
      changed: {}
    })
  },
  keys: {
    words: '',
    help: 'lists the signing keys, and what becomes of each',
    run: async ({ database }) => ({ said: (await listKeys(database, authConfig(process.env))).join('\n') })
  },
  'revoke-key': {
    words: '<kid>',
    help: 'ends a signing key, and all tokens that it signed',
    run: async ({ database }, kid = '') => {
      const kind = await revokeKey(database, kid)
      if (!kind) throw new Error(`no service has seen a key ${kid}; npm run admin -- keys lists them`)
      const said = `the ${kind} key ${kid} is revoked: within 10 s no instance accepts what it signed`
      return { said, changed: { kid } }
    }
  }
}

async function onUser(
  database: Database,
  email = '',
  change: (account: Account) => Promise<unknown>,
  done: string
): Promise<Done> {
  const account = await findByEmail(database, email)
  if (!account) throw new Error(`no account has the address ${email}; who it is for signs up first`)
  await change(account)
  return { said: `${account.email} (${account.id}) ${done}`, changed: { user: account.id } }
}

// Anybody may have signed up with an unverified address before its owner.
async function askAboutUnverified(
  { id, email, email_verified, roles, created_at }: Account,
  role: string
): Promise<void> {
  if (email_verified || role !== 'admin' || roles.includes(role)) return
  const question = `Nobody has verified ${email}: whoever signed up with it, at ${created_at.toISOString()} as ${id}, may be somebody else. Make them an administrator all the same?`
  if (!(await isConfirmed(question))) throw new Error('nothing was changed; answer y, or give --yes beforehand')
}

// Otherwise the next thing that an administrator sees is a 403.
function howTo(role: string): string {
  const issuer = process.env['ISSUER'] ?? '<ISSUER>'
  return role === 'admin' ? `; /users takes access tokens that are asked for with "resource": "${issuer}"` : ''
}

function checkRole(role: string): string {
  if (role === 'user') throw new Error('every user has the role user')
  if (!new RegExp(A_ROLE).test(role)) throw new Error(`${role} is no role: a word of lower-case letters is`)
  return role
}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { words, help, asks }]) => [`${name} ${words}${asks ? ' [--yes]' : ''}`.trimEnd(), help] as const
  )
  return ['usage: npm run admin -- <command>', ...lines.map(([line, help]) => `  ${line.padEnd(32)}${help}`)].join('\n')
}

try {
  const [name = '', ...rest] = process.argv.slice(2)
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  const words = command?.asks ? rest.filter((word) => word !== '--yes') : rest
  if (!command || words.length !== command.words.split(' ').filter(Boolean).length) throw new Error(usage())
  const { DATABASE_URL, DATABASE_PREPARE, NODE_ENV, LOG_LEVEL } = authSettings.properties
  const config = readConfig(Type.Object({ DATABASE_URL, DATABASE_PREPARE, NODE_ENV, LOG_LEVEL }), process.env)
  const database = openDatabase({ ...config, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
  try {
    const missing = await missingMigration(database)
    if (missing) throw new Error(`the database lacks migration ${missing}: npm run migrate -w services/auth makes it`)
    const { said, changed } = await command.run({ database, yes: words.length < rest.length }, ...words)
    console.log(said)
    // In production the event is for the log; a person in development has just read the message.
    if (changed && config.NODE_ENV === 'production') {
      emit(await createLogger('admin', config, process.stderr), 'admin_command', { command: name, ...changed })
    }
  } finally {
    await database.close()
  }
} catch (error) {
  console.error(`admin: ${reasonOf(error)}`)
  process.exitCode = 1
}
