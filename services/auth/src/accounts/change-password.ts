import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, HEADER_OR_COOKIE, problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import { SIGNED_IN } from '../guards/token-cookies.ts'
import type { Parts } from '../parts/parts.ts'
import { newPassword, PASSWORD } from '../passwords/fields.ts'
import { refuseOwnWord } from '../passwords/policy.ts'
import { replacePassword } from '../sessions/revocation.ts'
import { TOKENS } from '../sessions/tokens.ts'
import { confirmPassword } from './confirm-password.ts'

const schemaOf = (minLength: number) => ({
  tags: ['accounts'],
  operationId: 'changePassword',
  summary: 'Change the password; every other refresh token stops working',
  security: HEADER_OR_COOKIE,
  body: Type.Object(
    { current_password: PASSWORD, new_password: newPassword(minLength, 'staple of another kind') },
    { additionalProperties: false }
  ),
  response: {
    200: Type.Union([TOKENS, SIGNED_IN], { description: 'Two new tokens; as cookies, if the caller used one' }),
    ...problems(...ACCOUNT_PROBLEMS, ...BODY_PROBLEMS, 'invalid_credentials', 'too_many_requests')
  }
})

type ChangePasswordParts = Pick<
  Parts,
  'database' | 'actingOf' | 'passwords' | 'tokens' | 'guards' | 'cookies' | 'limit' | 'minLength' | 'life' | 'outbox'
>

/** `POST /change-password`: hashes the password before the transaction, so that no transaction waits for a hash. */
export function changePassword(app: App, parts: ChangePasswordParts): void {
  const { database, actingOf, passwords, tokens, guards, cookies, limit, minLength, life, outbox } = parts
  app.post(
    '/change-password',
    { schema: schemaOf(minLength), config: { audited: 'password_changed' }, onRequest: [limit.count, guards.account] },
    limit.spaced(async (request, reply) => {
      const { caller, accessClaims, byCookie } = request
      const { current_password: current, new_password: wanted } = request.body
      refuseOwnWord('new_password', wanted, caller)
      tokens.refuseWithoutKey()
      const asker = await confirmPassword({ database, passwords }, request, current)
      const passwordHash = await passwords.hash(asker, wanted)
      const acting = actingOf(request)
      const asked = tokens.now()
      const grant = await replacePassword(acting, caller, { passwordHash, idle: life.idle, from: acting, outbox })
      outbox.wake()
      if (byCookie) return reply.send(cookies.set(reply, await tokens.issue({ grant, asked })))
      return reply.send(await tokens.issue({ grant, asked }, accessClaims.aud))
    })
  )
}
