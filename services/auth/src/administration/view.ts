import { type Static, Type } from 'typebox'
import type { Account } from '../users/account.ts'
import { publicUser, USER } from '../users/fields.ts'

/** The account as administrators see it. */
export const USER_FOR_ADMINS = Type.Object(
  { ...USER.properties, disabled_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]) },
  { title: 'UserForAdmins' }
)

/** Makes the view of an account for administrators, without its secrets. */
export function adminView(account: Account): Static<typeof USER_FOR_ADMINS> {
  return { ...publicUser(account), disabled_at: account.disabled_at?.toISOString() ?? null }
}
