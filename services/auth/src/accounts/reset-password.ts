import type { App } from '@latchkey/frame/app-type'
import { clientKey } from '@latchkey/frame/client'
import { BODY_PROBLEMS, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { CODE, findCode, type ShownCode } from '../mail/codes.ts'
import type { Parts } from '../parts/parts.ts'
import { newPassword } from '../passwords/fields.ts'
import { refuseOwnWord } from '../passwords/policy.ts'
import { resetPasswordOf } from '../sessions/revocation.ts'
import { EMAIL } from '../users/fields.ts'
import { findById } from '../users/find.ts'

const schemaOf = (minLength: number) => ({
  tags: ['accounts'],
  operationId: 'resetPassword',
  summary: 'Set a new password with the code of a mail; every session ends',
  description: 'Logs nobody in. A code works once. If it is wrong, used or expired, the answer is the same.',
  security: [],
  body: Type.Object(
    { email: EMAIL, code: CODE, new_password: newPassword(minLength) },
    { additionalProperties: false }
  ),
  response: {
    204: Type.Null({ description: 'The password is set' }),
    ...problems(...BODY_PROBLEMS, 'invalid_code', 'too_many_requests')
  }
})

type ResetPasswordParts = Pick<Parts, 'database' | 'actingOf' | 'passwords' | 'limit' | 'minLength' | 'outbox'>

/** `POST /reset-password`: also sets the first password of an invited account. A refused password uses no code. */
export function resetPassword(app: App, parts: ResetPasswordParts): void {
  const { database, actingOf, passwords, limit, minLength, outbox } = parts
  app.post(
    '/reset-password',
    { schema: schemaOf(minLength), config: { audited: 'password_reset' }, onRequest: limit.count },
    limit.spaced(async (request, reply) => {
      const { new_password: wanted, ...shown } = request.body
      const account = await find(shown)
      const acting = actingOf(request)
      acting.account = account.id
      refuseOwnWord('new_password', wanted, account)
      const passwordHash = await passwords.hash({ client: clientKey(request), user: account.id }, wanted)
      await resetPasswordOf(acting, account, { shown, passwordHash, outbox })
      outbox.wake()
      return reply.code(204).send(null)
    })
  )

  async function find(shown: ShownCode) {
    const found = await findCode(database, shown)
    const isForIt = found?.purpose === 'reset_password' || found?.purpose === 'invitation'
    const account = isForIt && found.userId ? await findById(database, found.userId) : undefined
    if (!account || account.disabled_at) throw new Problem('invalid_code', { reason: 'no such code' })
    return account
  }
}
