import { transact } from '@latchkey/audit/acting'
import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, HEADER_OR_COOKIE, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { renameUser } from '../users/change.ts'
import { publicUser, USER, USERNAME } from '../users/fields.ts'
import { normalizeUsername } from '../users/username.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'updateUsername',
  summary: 'Change the display name; the next access token carries it',
  security: HEADER_OR_COOKIE,
  body: Type.Object({ username: USERNAME }, { additionalProperties: false }),
  response: {
    200: USER,
    ...problems(...ACCOUNT_PROBLEMS, ...BODY_PROBLEMS)
  }
}

/** `PUT /update-username`. */
export function updateUsername(app: App, { actingOf, guards }: Pick<Parts, 'actingOf' | 'guards'>): void {
  const config = { audited: 'username_changed' } as const
  app.put('/update-username', { schema, config, onRequest: guards.account }, async (request) => {
    const username = normalizeUsername(request.body.username)
    const account = await transact(actingOf(request), async (connection, note) => {
      const { id, sid: session } = request.caller
      const renamed = await renameUser(connection, id, username)
      if (!renamed) throw new Problem('invalid_token', { reason: 'the account is gone or disabled' })
      note('username_changed', { user: id, session }, { personal: { username } })
      return renamed
    })
    return publicUser(account)
  })
}
