/** A row of `users` that is neither deleted nor half. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly username: string
  readonly password_hash: string
  readonly token_hash: Buffer
  readonly epoch: number
  readonly roles: string[]
  readonly email_verified: boolean
  readonly created_at: Date
  readonly disabled_at: Date | null
}

/** The columns of an {@link Account}, of the table `users` under the name `u`. */
export const ACCOUNT_COLUMNS =
  'u.id, u.email, u.username, u.password_hash, u.token_hash, u.epoch, u.roles, u.email_verified, u.created_at, u.disabled_at'

/**
 * The form in which addresses are compared, in SQL, of a column or a parameter. Collation C lower-cases A to Z alone and
 * everywhere alike; that of a Turkish database would make ı of I, and INFO@ and info@ two accounts.
 */
export const comparable = (address: string) => `lower(${address}::text COLLATE "C")`

/** Of the table `users` under the name `u`: neither disabled nor deleted. */
export const USER_ENABLED = 'u.disabled_at IS NULL AND u.deleted_at IS NULL'
