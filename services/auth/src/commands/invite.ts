import { readConfig } from '@latchkey/frame/config'
import { Type } from 'typebox'
import { inviteAgain, inviteUser } from '../administration/invitations.ts'
import { authSettings } from '../config.ts'
import { createOutbox, NO_OUTBOX, type Outbox } from '../mail/outbox.ts'
import { isEmail } from '../users/fields.ts'
import { findByEmail } from '../users/find.ts'
import { normalizeUsername, refuseUsername } from '../users/username.ts'
import type { Command, CommandContext } from './command.ts'

/** The command that invites a user. */
export const INVITE_COMMANDS: Record<string, Command> = {
  invite: {
    words: '<email> [username]',
    help: 'makes an account and mails an invitation to it, or mails it again',
    run: async ({ database, acting, env }, email = '', username) => {
      const parts = { acting, outbox: outboxFor(env) }
      const account = await findByEmail(database, email)
      if (account) {
        await inviteAgain(parts, account)
        return `${account.email} (${account.id}) is invited again`
      }
      const [localPart = email] = email.split('@', 1)
      const invited = { email: checkEmail(email), username: checkUsername(username ?? localPart), roles: [] }
      const { id } = await inviteUser(parts, invited)
      return `${email} (${id}) is invited; npm run admin -- mails ${email} tells when the mail was sent`
    }
  }
}

// A running service sends the mails of the outbox. In production without a mail server nobody would send them.
function outboxFor(env: CommandContext['env']): Outbox {
  const { SMTP_URL, NODE_ENV } = authSettings.properties
  const config = readConfig(Type.Object({ SMTP_URL, NODE_ENV }), env)
  return config.SMTP_URL || config.NODE_ENV === 'development' ? createOutbox(() => {}) : NO_OUTBOX
}

function checkEmail(email: string): string {
  if (!isEmail(email)) throw new Error(`${email} is no email address`)
  return email
}

function checkUsername(username: string): string {
  const fault = refuseUsername(username)
  if (fault) throw new Error(`the username ${fault}`)
  return normalizeUsername(username)
}
