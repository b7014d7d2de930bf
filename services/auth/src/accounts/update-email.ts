import { type Acting, transact } from '@latchkey/audit/acting'
import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, HEADER_OR_COOKIE, noBody, problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import { forgetCodes } from '../mail/codes.ts'
import { refuseTooManyMails } from '../mail/outbox.ts'
import type { Parts } from '../parts/parts.ts'
import { PASSWORD } from '../passwords/fields.ts'
import { lockCaller } from '../sessions/revocation.ts'
import type { Caller } from '../sessions/rows.ts'
import { EMAIL } from '../users/fields.ts'
import { confirmPassword } from './confirm-password.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'updateEmail',
  summary: 'Ask for another address; it is changed when its code is sent to /verify-email',
  description:
    'A code is mailed to the new address, and a warning to the present one. If the new address has an account, the answer is the same, and the owner of that account gets a mail instead of the code.',
  security: HEADER_OR_COOKIE,
  body: Type.Object({ email: EMAIL, current_password: PASSWORD }, { additionalProperties: false }),
  response: {
    202: noBody('A code is on its way to the new address'),
    ...problems(...ACCOUNT_PROBLEMS, ...BODY_PROBLEMS, 'invalid_credentials', 'too_many_requests')
  }
}

type UpdateEmailParts = Pick<Parts, 'database' | 'actingOf' | 'passwords' | 'guards' | 'limit' | 'outbox'>

/** `PUT /update-email`: whether the new address has an account is looked up when the mail is sent, not before. */
export function updateEmail(app: App, parts: UpdateEmailParts): void {
  const { database, actingOf, passwords, guards, limit, outbox } = parts
  app.put(
    '/update-email',
    { schema, config: { audited: 'email_change_asked' }, onRequest: [limit.count, guards.account] },
    limit.spaced(async (request, reply) => {
      await confirmPassword({ database, passwords }, request, request.body.current_password)
      await askFor(actingOf(request), request.caller, request.body.email)
      outbox.wake()
      return reply.code(202).send()
    })
  )

  // Earlier codes for a change of address stop working. An earlier mail that is not sent yet is dropped.
  async function askFor(acting: Acting, caller: Caller, email: string): Promise<void> {
    const { id, email: present } = caller
    await transact(acting, async (connection, note) => {
      await lockCaller(connection, caller)
      await refuseTooManyMails(connection, id, 'change_email')
      await forgetCodes(connection, [id], 'change_email')
      await outbox.add(connection, { purpose: 'change_email', userId: id, email })
      await outbox.add(connection, { purpose: 'email_change_asked', userId: id, email: present })
      // Not the wanted address, which may be somebody else's: it could not be erased with that person.
      note('email_change_asked', { user: id, session: caller.sid })
    })
  }
}
