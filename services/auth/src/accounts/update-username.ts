import { emit } from '@latchkey/events/emit'
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
export function updateUsername(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  app.put('/update-username', { schema, onRequest: guards.account }, async (request) => {
    const account = await renameUser(database, request.caller.id, normalizeUsername(request.body.username))
    if (!account) throw new Problem('invalid_token', { reason: 'the account is gone or disabled' })
    emit(request.log, 'username_changed', { user: account.id })
    return publicUser(account)
  })
}
