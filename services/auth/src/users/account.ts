/** A row of `users` that is not deleted. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly username: string
  /** Null: the user was invited, and has not chosen a password. Nobody logs in. */
  readonly password_hash: string | null
  readonly token_hash: Buffer
  readonly epoch: number
  readonly roles: string[]
  readonly email_verified: boolean
  readonly created_at: Date
  readonly disabled_at: Date | null
}

/** The columns of an {@link Account}; `users` is called `u`. */
export const ACCOUNT_COLUMNS =
  'u.id, u.email, u.username, u.password_hash, u.token_hash, u.epoch, u.roles, u.email_verified, u.created_at, u.disabled_at'

/**
 * The SQL form in which addresses are compared, for a column or a parameter. Collation C lower-cases only A to Z, the
 * same everywhere. A Turkish collation would turn I into ı and make two accounts of INFO@ and info@.
 */
export const comparable = (address: string) => `lower(${address}::text COLLATE "C")`

/** The condition of a user who is neither disabled nor deleted; `users` is called `u`. */
export const USER_ENABLED = 'u.disabled_at IS NULL AND u.deleted_at IS NULL'
