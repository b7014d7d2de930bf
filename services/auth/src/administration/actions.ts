import { type Acting, type Note, transact } from '@latchkey/audit/acting'
import { erasePerson, eraseRest } from '@latchkey/audit/write'
import type { Queryable } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'
import { forgetCodes } from '../mail/codes.ts'
import { forgetMails } from '../mail/outbox.ts'
import { revokeAll, revokeAsCaller } from '../sessions/revocation.ts'
import type { Caller } from '../sessions/rows.ts'
import { forgetClients } from '../sessions/sessions.ts'
import type { Account } from '../users/account.ts'
import { eraseAccount, markDisabled, markEnabled, markVerified, storeRoles } from '../users/change.ts'
import { MAX_ROLES } from '../users/fields.ts'
import { findById, lockAccounts } from '../users/find.ts'

/** An account, and the administrator who changes it, with their session; none if the command line does. */
export interface Change {
  readonly id: string
  readonly by?: string | undefined
  readonly session?: string | undefined
}

/** The fields of an event about a change of an account. */
export function changeFields({ id, by, session }: Change) {
  return { user: id, ...(by !== undefined && { by }), ...(session !== undefined && { session }) }
}

/**
 * Gives a user these roles, and `user`. Access tokens issued later have them; this service refuses earlier tokens.
 *
 * Throws `insufficient_scope` if administrators would give roles to themselves.
 */
export function setRoles(acting: Acting, who: Change, roles: readonly string[]): Promise<Account> {
  const wanted = withUser(roles)
  return change(
    acting,
    who,
    { takesAdmin: !wanted.includes('admin') },
    async ({ connection, note, before: { roles: held } }) => {
      if (who.by === who.id && wanted.some((role) => !held.includes(role))) {
        throw new Problem('insufficient_scope', {
          detail: 'Nobody gives roles to themselves: another administrator has to.'
        })
      }
      await storeRoles(connection, who.id, wanted)
      note('roles_changed', { ...changeFields(who), roles: wanted })
    }
  )
}

/** Adds a role to a user. Throws `invalid_input` if there would be more than 16. */
export function grantRole(acting: Acting, who: Change, role: string): Promise<Account> {
  return changeRoles(acting, who, {}, (roles) => [...roles, role])
}

/** Takes a role away from a user. */
export function revokeRole(acting: Acting, who: Change, role: string): Promise<Account> {
  return changeRoles(acting, who, { takesAdmin: role === 'admin' }, (roles) => roles.filter((held) => held !== role))
}

/** Adds the role `user` to a list of roles. Throws `invalid_input` if the result has more than 16. */
export function withUser(roles: readonly string[]): string[] {
  const wanted = [...new Set(['user', ...roles])]
  if (wanted.length <= MAX_ROLES) return wanted
  const message = `must be at most ${MAX_ROLES} roles, user among them`
  throw new Problem('invalid_input', { reason: message, errors: [{ field: 'roles', message }] })
}

/** Disables a user: every session ends, and nobody can log in as this user. */
export function disableUser(acting: Acting, who: Change): Promise<Account> {
  return change(acting, who, { takesAdmin: true }, async ({ connection, note }) => {
    await markDisabled(connection, who.id)
    await revokeAll(connection, who.id, 'disabled')
    note('user_disabled', changeFields(who))
  })
}

/** Lets a disabled user log in again. */
export function enableUser(acting: Acting, who: Change): Promise<Account> {
  return change(acting, who, {}, async ({ connection, note }) => {
    await markEnabled(connection, who.id)
    note('user_enabled', changeFields(who))
  })
}

/** Notes that the address of a user is verified; codes that would verify it are deleted. */
export function verifyUser(acting: Acting, who: Change): Promise<Account> {
  return change(acting, who, {}, async ({ connection, note }) => {
    await forgetCodes(connection, [who.id], 'verify_email')
    await markVerified(connection, who.id)
    note('email_verified', { user: who.id })
  })
}

/** Ends every session of a user. */
export function endSessions(acting: Acting, who: Change): Promise<Account> {
  return change(acting, who, {}, async ({ connection, note }) => {
    await revokeAll(connection, who.id, 'ended_by_admin')
    note('sessions_ended', changeFields(who))
  })
}

/** Deletes an account: ends its sessions and deletes its personal data. */
export async function deleteUser(acting: Acting, who: Change): Promise<void> {
  await change(acting, who, { takesAdmin: true }, async ({ connection, note }) => {
    await revokeAll(connection, who.id, 'deleted')
    await erase(connection, who.id)
    note('account_deleted', changeFields(who))
  })
  await eraseRest(acting.database, who.id)
}

/**
 * Deletes the caller's own account. Throws `invalid_token` if the password was changed or the session ended meanwhile.
 */
export async function deleteOwnAccount(acting: Acting, caller: Caller): Promise<void> {
  await change(acting, { id: caller.id }, { takesAdmin: true }, async ({ connection, note }) => {
    await revokeAsCaller(connection, caller, 'deleted')
    await erase(connection, caller.id)
    note('account_deleted', { user: caller.id, session: caller.sid })
  })
  await eraseRest(acting.database, caller.id)
}

async function erase(connection: Queryable, id: string): Promise<void> {
  await eraseAccount(connection, id)
  await forgetClients(connection, id)
  await forgetMails(connection, id)
  await erasePerson(connection, id)
}

function changeRoles(
  acting: Acting,
  who: Change,
  rule: { takesAdmin?: boolean },
  next: (held: readonly string[]) => string[]
): Promise<Account> {
  return change(acting, who, rule, async ({ connection, note, before }) => {
    const roles = withUser(next(before.roles))
    await storeRoles(connection, who.id, roles)
    note('roles_changed', { ...changeFields(who), roles })
  })
}

/** A change at work: its transaction, where to note its events, and the account before it. */
interface Changing {
  readonly connection: Queryable
  readonly note: Note
  readonly before: Account
}

// If two administrators remove each other at the same time, each check would still see the other one. So the rows of
// all administrators are locked together with that of the account, in the order of their ids, unless the change
// concerns no administrator. An administrator who lost the role meanwhile changes nothing. Returns the account as it is
// after the change; if it was deleted, as it was before.
async function change(
  acting: Acting,
  { id, by }: Change,
  { takesAdmin = false }: { takesAdmin?: boolean },
  apply: (changing: Changing) => Promise<void>
): Promise<Account> {
  return transact(acting, async (connection, note) => {
    const concernsAdmins = by !== undefined || (takesAdmin && (await findById(connection, id))?.roles.includes('admin'))
    const locked = await lockAccounts(connection, id, concernsAdmins === true)
    const admins = locked.filter(({ roles, disabled_at }) => roles.includes('admin') && !disabled_at)
    if (by && !admins.some((admin) => admin.id === by)) throw new Problem('insufficient_scope')
    const before = locked.find((account) => account.id === id)
    if (!before) throw new Problem('not_found')
    if (takesAdmin && admins.length === 1 && admins[0] === before) throw new Problem('last_admin')
    await apply({ connection, note, before })
    return (await findById(connection, id)) ?? before
  })
}
