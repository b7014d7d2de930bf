import type { App } from '@latchkey/service/app'
import { OF_BODIES, OF_TOKENS, problems } from '@latchkey/service/schemas'
import { Type } from 'typebox'
import type { Database } from '../database.ts'
import { clientOf, type RequestLimit } from '../limits/requests.ts'
import type { Guards } from '../guards/guards.ts'
import { deleteOwnAccount } from '../administration/actions.ts'
import { confirmPassword } from './confirm-password.ts'
import { PASSWORD } from '../users/fields.ts'
import type { Passwords } from '../passwords/hashing.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'deleteMe',
  summary: 'Delete the account; its address may sign up again and is somebody else then',
  security: [{ bearer: [] }],
  body: Type.Object({ current_password: PASSWORD }, { additionalProperties: false }),
  response: {
    204: Type.Null({ description: 'Deleted' }),
    ...problems(...OF_TOKENS, ...OF_BODIES, 'invalid_credentials', 'last_admin', 'too_many_requests')
  }
}

/** What deleting oneself is made of. */
export interface DeleteMeParts {
  readonly database: Database
  readonly passwords: Passwords
  readonly guards: Guards
  readonly limit: RequestLimit
}

/** `DELETE /me`: sessions end, personal data goes; what stays is that the id existed. */
export function deleteMe(app: App, { database, passwords, guards, limit }: DeleteMeParts): void {
  app.delete(
    '/me',
    { schema, onRequest: [limit.count, guards.access] },
    limit.spaced(async (request, reply) => {
      const { caller } = request
      const asker = { client: clientOf(request), user: caller.id }
      passwords.admit(asker)
      await confirmPassword({ database, passwords }, { caller, asker }, request.body.current_password)
      await deleteOwnAccount(database, caller)
      request.log.info({ event: 'account_deleted', user: caller.id, session: caller.sid }, 'account deleted')
      return reply.code(204).send(null)
    })
  )
}
