import type { App } from '@latchkey/frame/app-type'
import { canonicalId, idOf } from '@latchkey/frame/ids'
import { ACCESS_TOKEN, BODY_PROBLEMS, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import type { Caller } from '../sessions/rows.ts'
import { ROLES } from '../users/fields.ts'
import { type Change, deleteUser, disableUser, enableUser, endSessions, setRoles } from './actions.ts'
import { adminView, USER_FOR_ADMINS } from './view.ts'

const shared = {
  tags: ['administration'],
  security: ACCESS_TOKEN,
  params: Type.Object({ id: idOf('a user') })
}
const refusals = problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS, 'insufficient_scope', 'not_found', 'last_admin')
const user = { 200: USER_FOR_ADMINS, ...refusals }
const nothing = { 204: Type.Null({ description: 'Done' }), ...refusals }

/** The five routes by which administrators change one account. */
export function changeUsers(app: App, parts: Pick<Parts, 'actingOf' | 'guards'>): void {
  const { actingOf, guards } = parts
  setUserRoles(app, parts)
  disableOrEnable(app, parts)
  app.post(
    '/users/:id/end-sessions',
    {
      schema: { ...shared, operationId: 'endUserSessions', summary: 'End every session of a user', response: nothing },
      config: { audited: 'sessions_ended' },
      onRequest: guards.admin
    },
    async (request, reply) => {
      await endSessions(actingOf(request), changeOf(request))
      return reply.code(204).send(null)
    }
  )
  app.delete(
    '/users/:id',
    {
      schema: { ...shared, operationId: 'deleteUser', summary: 'Delete an account', response: nothing },
      config: { audited: 'account_deleted' },
      onRequest: guards.admin
    },
    async (request, reply) => {
      await deleteUser(actingOf(request), changeOf(request))
      return reply.code(204).send(null)
    }
  )
}

function setUserRoles(app: App, { actingOf, guards }: Pick<Parts, 'actingOf' | 'guards'>): void {
  const schema = {
    ...shared,
    operationId: 'setUserRoles',
    summary: 'Set the roles of a user; nobody can give roles to themselves',
    body: Type.Object({ roles: ROLES }, { additionalProperties: false }),
    response: user
  }
  app.put(
    '/users/:id/roles',
    { schema, config: { audited: 'roles_changed' }, onRequest: guards.admin },
    async (request) => {
      return adminView(await setRoles(actingOf(request), changeOf(request), request.body.roles))
    }
  )
}

function disableOrEnable(app: App, { actingOf, guards }: Pick<Parts, 'actingOf' | 'guards'>): void {
  const disable = {
    operationId: 'disableUser',
    summary: 'Disable a user: every session ends, and the user cannot log in',
    response: user
  }
  const enable = { operationId: 'enableUser', summary: 'Enable a user', response: user }
  const onRequest = guards.admin
  app.post(
    '/users/:id/disable',
    { schema: { ...shared, ...disable }, config: { audited: 'user_disabled' }, onRequest },
    async (request) => {
      return adminView(await disableUser(actingOf(request), changeOf(request)))
    }
  )
  app.post(
    '/users/:id/enable',
    { schema: { ...shared, ...enable }, config: { audited: 'user_enabled' }, onRequest },
    async (request) => {
      return adminView(await enableUser(actingOf(request), changeOf(request)))
    }
  )
}

function changeOf({ params, caller }: { params: { id: string }; caller: Caller }): Change {
  return { id: canonicalId(params.id), by: caller.id, session: caller.sid }
}
