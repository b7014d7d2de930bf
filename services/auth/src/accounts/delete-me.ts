import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, HEADER_OR_COOKIE, problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import { deleteOwnAccount } from '../administration/actions.ts'
import type { Parts } from '../parts/parts.ts'
import { PASSWORD } from '../passwords/fields.ts'
import { confirmPassword } from './confirm-password.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'deleteMe',
  summary: 'Delete the account; a later sign-up with its address makes a new account',
  security: HEADER_OR_COOKIE,
  body: Type.Object({ current_password: PASSWORD }, { additionalProperties: false }),
  response: {
    204: Type.Null({ description: 'Deleted' }),
    ...problems(...ACCOUNT_PROBLEMS, ...BODY_PROBLEMS, 'invalid_credentials', 'last_admin', 'too_many_requests')
  }
}

/** `DELETE /me`: ends all sessions and deletes personal data; only the id remains. */
export function deleteMe(
  app: App,
  {
    database,
    actingOf,
    passwords,
    guards,
    limit,
    cookies
  }: Pick<Parts, 'database' | 'actingOf' | 'passwords' | 'guards' | 'limit' | 'cookies'>
): void {
  app.delete(
    '/me',
    { schema, config: { audited: 'account_deleted' }, onRequest: [limit.count, guards.account] },
    limit.spaced(async (request, reply) => {
      await confirmPassword({ database, passwords }, request, request.body.current_password)
      await deleteOwnAccount(actingOf(request), request.caller)
      if (request.byCookie) cookies.clear(reply)
      return reply.code(204).send(null)
    })
  )
}
