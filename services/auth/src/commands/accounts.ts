import { readConfig } from '@latchkey/frame/config'
import { Type } from 'typebox'
import { disableUser, enableUser, endSessions, grantRole, revokeRole } from '../administration/actions.ts'
import { authSettings } from '../config.ts'
import { revokeEverybody } from '../sessions/revocation.ts'
import type { Account } from '../users/account.ts'
import { A_ROLE } from '../users/fields.ts'
import { type Command, type CommandContext, onUser } from './command.ts'

const { CLOCK_LEEWAY } = authSettings.properties
const TIMES = Type.Object({ CLOCK_LEEWAY })

/** The commands that change accounts. */
export const ACCOUNT_COMMANDS: Record<string, Command> = {
  grant: {
    words: '<role> <email>',
    help: 'adds a role: it is in the next access token',
    asks: true,
    run: (on, role = '', email) =>
      onUser(
        on,
        email,
        async (account) => {
          checkRole(role)
          await askAboutUnverified(on, account, role)
          await grantRole(on.acting, account, role)
        },
        `now has the role ${role}${howTo(role, on)}`
      )
  },
  revoke: {
    words: '<role> <email>',
    help: 'takes a role away',
    run: (on, role = '', email) =>
      onUser(on, email, (who) => revokeRole(on.acting, who, checkRole(role)), `has no role ${role}`)
  },
  disable: {
    words: '<email>',
    help: 'ends every session, and nobody logs in',
    run: (on, email) => onUser(on, email, (who) => disableUser(on.acting, who), 'is disabled')
  },
  enable: {
    words: '<email>',
    help: 'lets a disabled user log in again',
    run: (on, email) => onUser(on, email, (who) => enableUser(on.acting, who), 'may log in')
  },
  'end-sessions': {
    words: '<email>',
    help: 'ends every session of a user',
    run: (on, email) => onUser(on, email, (who) => endSessions(on.acting, who), 'has no session any more')
  },
  'end-all-sessions': {
    words: '',
    help: 'ends those of all users, as is due after a backup was restored',
    run: async ({ acting, env }) => {
      const { CLOCK_LEEWAY: ahead } = readConfig(TIMES, env)
      return `${await revokeEverybody(acting, { command: 'end-all-sessions', ahead })} users have no session any more`
    }
  }
}

// Somebody else may have signed up with an unverified address before its owner.
async function askAboutUnverified(
  { isConfirmed }: CommandContext,
  { id, email, email_verified, roles, created_at }: Account,
  role: string
): Promise<void> {
  if (email_verified || role !== 'admin' || roles.includes(role)) return
  const question = `Nobody has verified ${email}: whoever signed up with it, at ${created_at.toISOString()} as ${id}, may be somebody else. Make them an administrator all the same?`
  if (!(await isConfirmed(question))) throw new Error('nothing was changed; answer y, or give --yes beforehand')
}

// Without this hint, the first request of a new administrator would get a 403.
function howTo(role: string, { env }: CommandContext): string {
  const issuer = env['ISSUER'] ?? '<ISSUER>'
  return role === 'admin' ? `; /users takes access tokens that are asked for with "resource": "${issuer}"` : ''
}

function checkRole(role: string): string {
  if (role === 'user') throw new Error('every user has the role user')
  if (!new RegExp(A_ROLE).test(role)) throw new Error(`${role} is no role: a word of lower-case letters is`)
  return role
}
