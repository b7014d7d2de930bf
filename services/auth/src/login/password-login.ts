import { clientKey } from '@latchkey/frame/client'
import { Problem } from '@latchkey/problems/problem'
import type { RefreshClaims } from '@latchkey/tokens/claims'
import type { FastifyRequest } from 'fastify'
import type { Parts } from '../parts/parts.ts'
import { type Bucket, deviceOf, strangersOf } from '../passwords/attempts.ts'
import { checkPassword } from '../passwords/check.ts'
import type { Asker } from '../passwords/hash-pool.ts'
import { hasCustomKey } from '../sessions/custom-key.ts'
import { openSession } from '../sessions/sessions.ts'
import type { Granted } from '../sessions/tokens.ts'
import type { Account } from '../users/account.ts'
import { replaceHash } from '../users/change.ts'
import { findByEmail } from '../users/find.ts'

/** A login: address and password, and how to find the earlier refresh token that the request shows, if any. */
interface Login {
  readonly email: string
  readonly password: string
  readonly shown: () => Promise<RefreshClaims | undefined>
}

/** The parts that a login needs. */
export type PasswordLoginParts = Pick<
  Parts,
  'database' | 'actingOf' | 'passwords' | 'tokens' | 'life' | 'requireVerified'
>

/**
 * Makes the login of `/login` and `/signin`, which opens a new session. A login with an unknown address takes as long
 * as one with a wrong password.
 *
 * A request that also shows an earlier refresh token of the account counts as that device, not as a stranger.
 */
export function passwordLogin(parts: PasswordLoginParts): (request: FastifyRequest, login: Login) => Promise<Granted> {
  const { database, actingOf, passwords, tokens, life, requireVerified } = parts
  return async (request, login) => {
    // If many log in at once, those that must be refused do not reach the database.
    passwords.refuseIfBusy({ client: clientKey(request) })
    tokens.refuseWithoutKey()
    // Its signature is checked for every address: how long that takes must not tell which have an account.
    const shown = await login.shown()
    // If the password was changed during the comparison, the login starts again, once.
    const granted = (await logIn(request, login, shown)) ?? (await logIn(request, login, shown))
    if (!granted) throw new Problem('invalid_credentials', { reason: 'the password was changed while it was compared' })
    return granted
  }

  // Returns nothing if the password was changed during the comparison.
  async function logIn(
    request: FastifyRequest,
    { email, password }: Login,
    shown: RefreshClaims | undefined
  ): Promise<Granted | undefined> {
    const account = await findByEmail(database, email)
    const device = account && knownDevice(shown, account)
    // A known device has its own turns at the hashing threads, which strangers cannot use up.
    const asker = { client: clientKey(request), user: account && device ? account.id : email.toLowerCase() }
    const check = { stored: account?.password_hash, buckets: { strangers: strangersOf(email), device }, asker }
    const acting = actingOf(request)
    acting.account = account?.id
    const checked = await checkPassword(parts, check, password)
    if (!account) throw new Problem('invalid_credentials', { reason: 'no account has this address' })
    if (checked === 'wrong') {
      throw new Problem('invalid_credentials', { reason: `wrong password for user ${account.id}` })
    }
    refuseUnable(account)
    if (checked === 'outdated') await renewHash(account, asker, password)
    const asked = tokens.now()
    const grant = await openSession(acting, { userId: account.id, tokenHash: account.token_hash, life, from: acting })
    return grant && { grant, asked }
  }

  function refuseUnable({ id, disabled_at, email_verified }: Account): void {
    if (disabled_at) throw new Problem('account_disabled', { reason: `user ${id} is disabled` })
    if (requireVerified && !email_verified) {
      throw new Problem('email_unverified', { reason: `user ${id} has not verified the address` })
    }
  }

  // If the threads are busy, the login succeeds without a new hash; the next login tries again.
  async function renewHash(account: Account, asker: Asker, password: string): Promise<void> {
    const replacement = await passwords.hash(asker, password).catch((error) => {
      if (!(error instanceof Problem && error.code === 'unavailable')) throw error
    })
    if (replacement) await replaceHash(database, account.id, { compared: account.password_hash, replacement })
  }
}

function knownDevice(shown: RefreshClaims | undefined, account: Account): Bucket | undefined {
  if (shown?.sub !== account.id || !hasCustomKey(shown, account.token_hash)) return undefined
  return deviceOf(shown.sub, shown.sid)
}
