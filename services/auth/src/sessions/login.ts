import type { App } from '@latchkey/service/app'
import { OF_BODIES, problems } from '@latchkey/service/schemas'
import { Problem } from '@latchkey/tokens/errors'
import { Type } from 'typebox'
import { EMAIL, PASSWORD } from '../accounts/fields.ts'
import type { Passwords } from '../accounts/passwords.ts'
import { type Account, findByEmail, renewHash } from '../accounts/users.ts'
import type { Queryable } from '../database.ts'
import type { LimitRequests } from '../limits/requests.ts'
import { type Grant, openSession, type SessionLife } from './sessions.ts'
import { type IssueTokens, TOKENS } from './tokens.ts'

const schema = {
  tags: ['sessions'],
  summary: 'Log in with address and password',
  body: Type.Object({ email: EMAIL, password: PASSWORD }, { additionalProperties: false }),
  response: {
    200: TOKENS,
    ...problems(...OF_BODIES, 'invalid_credentials', 'account_disabled', 'too_many_requests')
  }
}

/** What login is made of. */
export interface LoginParts {
  readonly database: Queryable
  readonly passwords: Passwords
  readonly issue: IssueTokens
  readonly life: SessionLife
  readonly limit: LimitRequests
}

/** `POST /login`: each login opens a session of its own. An unknown address costs the time that a wrong password does. */
export function login(app: App, { database, passwords, issue, life, limit }: LoginParts): void {
  app.post('/login', { schema, onRequest: limit }, async (request, reply) => {
    const { email, password } = request.body
    const grant = (await attempt(email, password)) ?? (await attempt(email, password))
    if (!grant) throw new Problem('invalid_credentials', { reason: 'the password was changed while it was compared' })
    request.log.info({ event: 'login', user: grant.user_id, session: grant.sid }, 'logged in')
    return reply.send(await issue(grant))
  })

  // Nothing when the password was changed between the compare and the opening: then the login starts over, once.
  async function attempt(email: string, password: string): Promise<Grant | undefined> {
    const account = await findByEmail(database, email)
    const { matches, outdated } = await passwords.verify(password, account?.password_hash)
    if (!account) throw new Problem('invalid_credentials', { reason: 'no account has this address' })
    if (!matches) throw new Problem('invalid_credentials', { reason: `wrong password for user ${account.id}` })
    if (account.disabled_at) throw new Problem('account_disabled', { reason: `user ${account.id} is disabled` })
    if (outdated) await renew(account, password)
    return openSession(database, { userId: account.id, tokenHash: account.token_hash, life })
  }

  async function renew(account: Account, password: string): Promise<void> {
    await renewHash(database, account.id, account.password_hash, await passwords.hash(password))
  }
}
