import { type Acting, transact } from '@latchkey/audit/acting'
import { Problem } from '@latchkey/problems/problem'
import { type Outbox, refuseTooManyMails } from '../mail/outbox.ts'
import type { Account } from '../users/account.ts'
import { addUser } from '../users/change.ts'
import { lockAccounts } from '../users/find.ts'
import { type Change, changeFields, withUser } from './actions.ts'

/** What an invitation needs. */
export interface InvitationParts {
  readonly acting: Acting
  readonly outbox: Outbox
}

/** The user who gets an account, and the administrator who invites them; none if the command line invites. */
export interface Invited {
  readonly email: string
  readonly username: string
  readonly roles: readonly string[]
  readonly by?: string
  readonly session?: string
}

/**
 * Makes an account without a password, and mails an invitation to its address, in one transaction. Nobody can log in
 * until a password was set with the code.
 *
 * Throws `email_taken`, and `insufficient_scope` if the inviting user is no administrator any more.
 */
export async function inviteUser({ acting, outbox }: InvitationParts, invited: Invited): Promise<Account> {
  refuseWithoutMail(outbox)
  const { email, username, by, session } = invited
  const roles = withUser(invited.roles)
  const account = await transact(acting, async (connection, note) => {
    if (by !== undefined) refuseFormerAdmin(await lockAccounts(connection, by, false), by)
    const added = await addUser(connection, { email, username, passwordHash: null, roles })
    if (!added) throw new Problem('email_taken')
    await outbox.add(connection, { purpose: 'invitation', userId: added.id })
    note('user_invited', changeFields({ id: added.id, by, session }))
    return added
  })
  outbox.wake()
  return account
}

/**
 * Mails the invitation again; the new code replaces the old one.
 *
 * Throws `not_found` if there is no such user, or if they have a password. Throws `account_disabled`. Throws
 * `too_many_requests` after three mails in an hour or ten in a day.
 */
export async function inviteAgain({ acting, outbox }: InvitationParts, { id, by, session }: Change): Promise<void> {
  refuseWithoutMail(outbox)
  await transact(acting, async (connection, note) => {
    // All in one statement, in the order in which every change of accounts locks them.
    const locked = await lockAccounts(connection, id, by !== undefined)
    if (by !== undefined) refuseFormerAdmin(locked, by)
    const account = locked.find((one) => one.id === id)
    if (!account) throw new Problem('not_found')
    if (account.password_hash !== null)
      throw new Problem('not_found', { detail: 'This user has a password: the invitation was used.' })
    if (account.disabled_at) throw new Problem('account_disabled')
    await refuseTooManyMails(connection, id, 'invitation')
    await outbox.add(connection, { purpose: 'invitation', userId: id })
    note('user_invited', changeFields({ id, by, session }))
  })
  outbox.wake()
}

function refuseWithoutMail({ isOn }: Outbox): void {
  if (isOn) return
  throw new Problem('signup_closed', {
    detail: 'No mail can be sent here, so nobody can be invited: SMTP_URL is not set.'
  })
}

function refuseFormerAdmin(locked: readonly Account[], id: string): void {
  const account = locked.find((one) => one.id === id)
  if (!account?.roles.includes('admin') || account.disabled_at) throw new Problem('insufficient_scope')
}
