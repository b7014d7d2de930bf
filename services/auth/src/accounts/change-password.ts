import type { App } from '@latchkey/service/app'
import { OF_BODIES, OF_TOKENS, problems } from '@latchkey/service/schemas'
import { Problem } from '@latchkey/tokens/errors'
import { Type } from 'typebox'
import type { Database } from '../database.ts'
import { clientOf, type RequestLimit } from '../limits/requests.ts'
import type { Guards } from '../guards/guards.ts'
import { originOf } from '../login/client.ts'
import { replacePassword } from '../sessions/revocation.ts'
import { TOKENS, type TokenIssuer } from '../sessions/tokens.ts'
import { confirmPassword } from './confirm-password.ts'
import { newPassword, PASSWORD } from '../users/fields.ts'
import { isOwnWord, OWN_WORD } from '../passwords/policy.ts'
import type { Passwords } from '../passwords/hashing.ts'

const schemaOf = (minLength: number) => ({
  tags: ['accounts'],
  operationId: 'changePassword',
  summary: 'Change the password; every other refresh token stops working',
  security: [{ bearer: [] }],
  body: Type.Object(
    { current_password: PASSWORD, new_password: newPassword(minLength, 'staple of another kind') },
    { additionalProperties: false }
  ),
  response: {
    200: TOKENS,
    ...problems(...OF_TOKENS, ...OF_BODIES, 'invalid_credentials', 'too_many_requests')
  }
})

/** What changing a password is made of; `idle` life of the new session in seconds. */
export interface ChangePasswordParts {
  readonly database: Database
  readonly passwords: Passwords
  readonly tokens: TokenIssuer
  readonly guards: Guards
  readonly limit: RequestLimit
  readonly minLength: number
  readonly idle: number
}

/** `POST /change-password`: the hashing is done before the transaction, so that none stays open meanwhile. */
export function changePassword(app: App, parts: ChangePasswordParts): void {
  const { database, passwords, tokens, guards, limit, minLength, idle } = parts
  app.post(
    '/change-password',
    { schema: schemaOf(minLength), onRequest: [limit.count, guards.access] },
    limit.spaced(async (request, reply) => {
      const { caller, accessClaims } = request
      const { current_password: current, new_password: wanted } = request.body
      if (isOwnWord(wanted, caller)) {
        throw new Problem('invalid_input', { errors: [{ field: 'new_password', message: OWN_WORD }] })
      }
      const asker = { client: clientOf(request), user: caller.id }
      passwords.admit(asker)
      tokens.admit()
      await confirmPassword({ database, passwords }, { caller, asker }, current)
      const passwordHash = await passwords.hash(asker, wanted)
      const grant = await replacePassword(database, caller, { passwordHash, idle, from: originOf(request) })
      request.log.info({ event: 'password_changed', user: caller.id, session: grant.sid }, 'password changed')
      return reply.send(await tokens.issue(grant, accessClaims.aud))
    })
  )
}
