import { emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { clientOf } from '../guards/client.ts'
import { clientKey } from '../limits/requests.ts'
import type { Parts } from '../parts/parts.ts'
import { type Bucket, deviceOf, strangersOf } from '../passwords/attempts.ts'
import { checkPassword } from '../passwords/check.ts'
import { PASSWORD } from '../passwords/fields.ts'
import type { Asker } from '../passwords/hash-pool.ts'
import type { ResourceParameter } from '../sessions/audience.ts'
import { hasCustomKey } from '../sessions/custom-key.ts'
import type { Grant } from '../sessions/rows.ts'
import { openSession } from '../sessions/sessions.ts'
import { TOKENS } from '../sessions/tokens.ts'
import type { Account } from '../users/account.ts'
import { replaceHash } from '../users/change.ts'
import { EMAIL } from '../users/fields.ts'
import { findByEmail } from '../users/find.ts'

const schemaOf = (resource: ResourceParameter) => ({
  tags: ['sessions'],
  operationId: 'logIn',
  summary: 'Log in with address and password',
  description:
    'Ten wrong passwords in a row are free for an address, then each further try has to wait. A device that was logged in ' +
    'before may show its last refresh token, also an expired one: then its tries are counted apart from those of strangers.',
  security: [{}, { bearer: [] }],
  body: Type.Object({ email: EMAIL, password: PASSWORD, resource }, { additionalProperties: false }),
  response: {
    200: TOKENS,
    ...problems(...BODY_PROBLEMS, 'invalid_credentials', 'account_disabled', 'email_unverified', 'too_many_requests')
  }
})

type LoginParts = Pick<
  Parts,
  'database' | 'passwords' | 'tokens' | 'shownDevice' | 'life' | 'limit' | 'resource' | 'requireVerified'
>
type LoginRequest = FastifyRequest<{ Body: { email: string; password: string } }>

/**
 * `POST /login`: opens a new session. An unknown address takes as long as a wrong password.
 *
 * A request that also shows an earlier refresh token of the account counts as that device, not as a stranger.
 */
export function login(app: App, parts: LoginParts): void {
  const { database, passwords, tokens, shownDevice, life, limit, requireVerified } = parts
  app.post(
    '/login',
    { schema: schemaOf(parts.resource), onRequest: limit.count },
    limit.spaced(async (request, reply) => {
      // In a storm, logins without a chance do not reach the database.
      passwords.refuseIfBusy({ client: clientKey(request) })
      tokens.refuseWithoutKey()
      // If the password was changed during the comparison, the login starts again, once.
      const grant = (await logIn(request)) ?? (await logIn(request))
      if (!grant) throw new Problem('invalid_credentials', { reason: 'the password was changed while it was compared' })
      emit(request.log, 'login', { user: grant.user_id, session: grant.sid })
      return reply.send(await tokens.issue(grant, request.body.resource))
    })
  )

  // Returns nothing if the password was changed during the comparison.
  async function logIn(request: LoginRequest): Promise<Grant | undefined> {
    const { email, password } = request.body
    const account = await findByEmail(database, email)
    const device = account && (await knownDevice(request, account))
    // Strangers cannot use the turns of a known device.
    const asker = { client: clientKey(request), user: account && device ? account.id : email.toLowerCase() }
    const check = { stored: account?.password_hash, buckets: { strangers: strangersOf(email), device }, asker }
    const checked = await checkPassword(parts, check, password)
    if (!account) throw new Problem('invalid_credentials', { reason: 'no account has this address' })
    if (checked === 'wrong') {
      throw new Problem('invalid_credentials', { reason: `wrong password for user ${account.id}` })
    }
    if (account.disabled_at) throw new Problem('account_disabled', { reason: `user ${account.id} is disabled` })
    if (requireVerified && !account.email_verified) {
      throw new Problem('email_unverified', { reason: `user ${account.id} has not verified the address` })
    }
    if (checked === 'outdated') await renewHash(account, asker, password)
    const from = clientOf(request)
    return openSession(database, { userId: account.id, tokenHash: account.token_hash, life, from })
  }

  // If the threads are busy, the login succeeds without a new hash; the next login tries again.
  async function renewHash(account: Account, asker: Asker, password: string): Promise<void> {
    const replacement = await passwords.hash(asker, password).catch((error) => {
      if (!(error instanceof Problem && error.code === 'unavailable')) throw error
    })
    if (replacement) await replaceHash(database, account.id, { compared: account.password_hash, replacement })
  }

  async function knownDevice(request: FastifyRequest, account: Account): Promise<Bucket | undefined> {
    const shown = await shownDevice(request)
    if (shown?.sub !== account.id || !hasCustomKey(shown, account.token_hash)) return undefined
    return deviceOf(shown.sub, shown.sid)
  }
}
