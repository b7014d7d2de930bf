import type { App } from '@latchkey/service/app'
import { OF_BODIES, problems } from '@latchkey/service/schemas'
import { Problem } from '@latchkey/tokens/errors'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { EMAIL, PASSWORD } from '../users/fields.ts'
import type { Asker } from '../passwords/hash-pool.ts'
import type { Passwords } from '../passwords/hashing.ts'
import { type Account, findByEmail, renewHash } from '../users/users.ts'
import type { Queryable } from '../database.ts'
import { asAttempt, type Bucket, deviceOf, forgetAttempts, strangersOf } from '../passwords/attempts.ts'
import { clientOf, type RequestLimit } from '../limits/requests.ts'
import type { ResourceParameter } from '../sessions/audience.ts'
import type { Guards } from '../guards/guards.ts'
import { originOf } from './client.ts'
import { type Grant, openSession, type SessionLife } from '../sessions/sessions.ts'
import { hasCustomKey, TOKENS, type TokenIssuer } from '../sessions/tokens.ts'

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
    ...problems(...OF_BODIES, 'invalid_credentials', 'account_disabled', 'too_many_requests')
  }
})

/** What login is made of. */
export interface LoginParts {
  readonly database: Queryable
  readonly passwords: Passwords
  readonly tokens: TokenIssuer
  readonly guards: Guards
  readonly life: SessionLife
  readonly limit: RequestLimit
  readonly resource: ResourceParameter
}

/**
 * `POST /login`: each login opens a session of its own. An unknown address costs the time that a wrong password does.
 *
 * A request that also shows an earlier refresh token of the account counts as that device, not as a stranger.
 */
export function login(
  app: App,
  { database, passwords, tokens, guards, life, limit, resource: parameter }: LoginParts
): void {
  const schema = schemaOf(parameter)
  app.post(
    '/login',
    { schema, onRequest: limit.count },
    limit.spaced(async (request, reply) => {
      const client = clientOf(request)
      // In a storm of logins the database need not know of those that have no chance.
      passwords.admit({ client })
      tokens.admit()
      const { email, resource } = request.body
      const account = await findByEmail(database, email)
      const device = await deviceShown(request, account)
      const buckets = { strangers: strangersOf(email), device }
      // Strangers cannot take a turn of a known device either.
      const asker = { client, user: account && device ? account.id : email.toLowerCase() }
      const grant = await asAttempt(
        database,
        buckets,
        // The password may be changed while it is compared: then the login starts over, once.
        async (bucket) =>
          (await open(account, { asker, bucket }, request)) ??
          (await open(await findByEmail(database, email), { asker, bucket }, request))
      )
      if (!grant) throw new Problem('invalid_credentials', { reason: 'the password was changed while it was compared' })
      request.log.info({ event: 'login', user: grant.user_id, session: grant.sid }, 'logged in')
      return reply.send(await tokens.issue(grant, resource))
    })
  )

  async function open(
    account: Account | undefined,
    { asker, bucket }: { asker: Asker; bucket: Bucket },
    request: FastifyRequest<{ Body: { password: string } }>
  ): Promise<Grant | undefined> {
    const { password } = request.body
    const { matches, outdated } = await passwords.verify(asker, password, account?.password_hash)
    if (!account) throw new Problem('invalid_credentials', { reason: 'no account has this address' })
    if (!matches) throw new Problem('invalid_credentials', { reason: `wrong password for user ${account.id}` })
    await forgetAttempts(database, bucket)
    if (account.disabled_at) throw new Problem('account_disabled', { reason: `user ${account.id} is disabled` })
    if (outdated) await renew(account, asker, password)
    const from = originOf(request)
    return openSession(database, { userId: account.id, tokenHash: account.token_hash, life, from })
  }

  // Where the threads are busy, the right password is good enough; the next login tries again.
  async function renew(account: Account, asker: Asker, password: string): Promise<void> {
    const hash = await passwords.hash(asker, password).catch((error) => {
      if (!(error instanceof Problem && error.code === 'unavailable')) throw error
    })
    if (hash) await renewHash(database, account.id, account.password_hash, hash)
  }

  async function deviceShown(request: FastifyRequest, account: Account | undefined): Promise<Bucket | undefined> {
    const shown = await guards.knownDevice(request)
    if (!account || shown?.sub !== account.id || !hasCustomKey(shown, account.token_hash)) return undefined
    return deviceOf(shown.sub, shown.sid)
  }
}
