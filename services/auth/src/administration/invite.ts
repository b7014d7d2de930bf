import type { App } from '@latchkey/frame/app-type'
import { canonicalId, idOf } from '@latchkey/frame/ids'
import { ACCESS_TOKEN, BODY_PROBLEMS, noBody, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { EMAIL, ROLES, USERNAME } from '../users/fields.ts'
import { normalizeUsername } from '../users/username.ts'
import { inviteAgain, inviteUser } from './invitations.ts'
import { adminView, USER_FOR_ADMINS } from './view.ts'

const shared = { tags: ['administration'], security: ACCESS_TOKEN }
const PROBLEMS = [...TOKEN_PROBLEMS, ...BODY_PROBLEMS, 'insufficient_scope', 'signup_closed'] as const

const invitation = {
  ...shared,
  operationId: 'inviteUser',
  summary: 'Make an account and invite its user by mail',
  description:
    'The account has no password. The mail has a code, which works for seven days. With it the user sets their first password at /reset-password, which also verifies the address.',
  body: Type.Object({ email: EMAIL, username: USERNAME, roles: Type.Optional(ROLES) }, { additionalProperties: false }),
  response: { 201: USER_FOR_ADMINS, ...problems(...PROBLEMS, 'email_taken') }
}

const repetition = {
  ...shared,
  operationId: 'inviteUserAgain',
  summary: 'Mail an invitation again; its new code replaces the old one',
  params: Type.Object({ id: idOf('a user') }),
  response: {
    202: noBody('The mail is on its way'),
    ...problems(...PROBLEMS, 'not_found', 'account_disabled', 'too_many_requests')
  }
}

/** `POST /users` and `POST /users/:id/invitation`. Refused with `SIGNUP=closed`. */
export function inviteUsers(app: App, parts: Pick<Parts, 'actingOf' | 'outbox' | 'guards' | 'signup'>): void {
  const { actingOf, outbox, guards, signup } = parts
  const refuseClosed = async () => {
    if (signup === 'closed') throw new Problem('signup_closed')
  }
  const onRequest = [guards.admin, refuseClosed]
  const config = { audited: 'user_invited' } as const
  app.post('/users', { schema: invitation, config, onRequest }, async (request, reply) => {
    const { email, username, roles = [] } = request.body
    const { id: by, sid: session } = request.caller
    const invited = { email, username: normalizeUsername(username), roles, by, session }
    const account = await inviteUser({ acting: actingOf(request), outbox }, invited)
    return reply.code(201).send(adminView(account))
  })
  app.post('/users/:id/invitation', { schema: repetition, config, onRequest }, async (request, reply) => {
    const { id: by, sid: session } = request.caller
    await inviteAgain({ acting: actingOf(request), outbox }, { id: canonicalId(request.params.id), by, session })
    return reply.code(202).send()
  })
}
