import { type Acting, transact } from '@latchkey/audit/acting'
import { verifyUser } from '../administration/actions.ts'
import { type ListedMail, listMails, repeatMail } from '../mail/history.ts'
import { type Command, onUser } from './command.ts'

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** The commands that help when mails do not arrive. */
export const MAIL_COMMANDS: Record<string, Command> = {
  mails: {
    words: '<email>',
    help: 'lists the mails of the last week to an address, and what became of each',
    run: async ({ database }, email = '') => {
      const mails = await listMails(database, email)
      return mails.map(lineOf).join('\n') || `no mail of the last week is for ${email}`
    }
  },
  'repeat-mail': {
    words: '<id>',
    help: 'sends a mail again that was refused or late',
    run: async ({ acting }, id = '') => {
      const repeated = UUID.test(id) ? await repeat(acting, id) : undefined
      if (!repeated) {
        throw new Error(
          `no mail ${id} was refused or late, or one of its kind waits already; npm run admin -- mails lists them`
        )
      }
      return `it is tried again as ${repeated}`
    }
  },
  verify: {
    words: '<email>',
    help: 'notes that an address is verified, where mails do not arrive',
    run: (on, email) => onUser(on, email, (who) => verifyUser(on.acting, who), 'is verified')
  }
}

function repeat(acting: Acting, id: string): Promise<string | undefined> {
  return transact(acting, async (connection, note) => {
    const repeated = await repeatMail(connection, id)
    if (repeated) note('admin_command', { command: 'repeat-mail' })
    return repeated
  })
}

function lineOf(mail: ListedMail): string {
  const { id, purpose, outcome, attempts, asked_at, due_at, done_at, last_error } = mail
  const state = outcome ? `${outcome} at ${done_at?.toISOString()}` : `waits until ${due_at.toISOString()}`
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  return [`${id} ${purpose}, asked for at ${asked_at.toISOString()}`, state, tries, last_error]
    .filter(Boolean)
    .join(', ')
}
