import { clientKey } from '@latchkey/frame/client'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import { deviceOf, strangersOf } from '../passwords/attempts.ts'
import { type CheckParts, checkPassword } from '../passwords/check.ts'
import type { Asker } from '../passwords/hash-pool.ts'

/**
 * Checks the password of a caller, before a change for which an access token is not enough, because it may be stolen.
 * Wrong passwords count in the bucket of the caller's device.
 *
 * Returns who asks, for the hash of a new password. Throws `invalid_credentials`, and the errors of
 * {@link checkPassword}; `unavailable` at once if the threads have too much to do.
 */
export async function confirmPassword(parts: CheckParts, request: FastifyRequest, password: string): Promise<Asker> {
  const { caller } = request
  const asker = { client: clientKey(request), user: caller.id }
  parts.passwords.refuseIfBusy(asker)
  const buckets = { strangers: strangersOf(caller.email), device: deviceOf(caller.id, caller.sid) }
  const checked = await checkPassword(parts, { stored: caller.password_hash, buckets, asker }, password)
  if (checked === 'wrong') throw new Problem('invalid_credentials', { detail: 'The current password is wrong.' })
  return asker
}
