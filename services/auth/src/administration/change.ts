import { emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import type { Caller } from '../sessions/rows.ts'
import { canonicalId, idOf, ROLES } from '../users/fields.ts'
import { deleteUser, disableUser, enableUser, endSessions, setRoles } from './actions.ts'
import { adminView, USER_FOR_ADMINS } from './view.ts'

const shared = {
  tags: ['administration'],
  security: [{ bearer: [] }],
  params: Type.Object({ id: idOf('a user') })
}
const refusals = problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS, 'insufficient_scope', 'not_found', 'last_admin')
const user = { 200: USER_FOR_ADMINS, ...refusals }
const nothing = { 204: Type.Null({ description: 'Done' }), ...refusals }

/** The five routes by which administrators change one account. */
export function changeUsers(app: App, parts: Pick<Parts, 'database' | 'guards'>): void {
  const { database, guards } = parts
  setUserRoles(app, parts)
  disableOrEnable(app, parts)
  app.post(
    '/users/:id/end-sessions',
    {
      schema: { ...shared, operationId: 'endUserSessions', summary: 'End every session of a user', response: nothing },
      onRequest: guards.admin
    },
    async (request, reply) => {
      const change = changeOf(request)
      await endSessions(database, change)
      emit(request.log, 'sessions_ended', fieldsOf(change, request))
      return reply.code(204).send(null)
    }
  )
  app.delete(
    '/users/:id',
    {
      schema: { ...shared, operationId: 'deleteUser', summary: 'Delete an account', response: nothing },
      onRequest: guards.admin
    },
    async (request, reply) => {
      const change = changeOf(request)
      await deleteUser(database, change)
      emit(request.log, 'account_deleted', fieldsOf(change, request))
      return reply.code(204).send(null)
    }
  )
}

function setUserRoles(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  const schema = {
    ...shared,
    operationId: 'setUserRoles',
    summary: 'Set the roles of a user; nobody can give roles to themselves',
    body: Type.Object({ roles: ROLES }, { additionalProperties: false }),
    response: user
  }
  app.put('/users/:id/roles', { schema, onRequest: guards.admin }, async (request) => {
    const { roles } = request.body
    const change = changeOf(request)
    const account = await setRoles(database, change, roles)
    emit(request.log, 'roles_changed', { ...fieldsOf(change, request), roles })
    return adminView(account)
  })
}

function disableOrEnable(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  const disable = {
    operationId: 'disableUser',
    summary: 'Disable a user: every session ends, and the user cannot log in',
    response: user
  }
  const enable = { operationId: 'enableUser', summary: 'Enable a user', response: user }
  const onRequest = guards.admin
  app.post('/users/:id/disable', { schema: { ...shared, ...disable }, onRequest }, async (request) => {
    const change = changeOf(request)
    const account = await disableUser(database, change)
    emit(request.log, 'user_disabled', fieldsOf(change, request))
    return adminView(account)
  })
  app.post('/users/:id/enable', { schema: { ...shared, ...enable }, onRequest }, async (request) => {
    const change = changeOf(request)
    const account = await enableUser(database, change)
    emit(request.log, 'user_enabled', fieldsOf(change, request))
    return adminView(account)
  })
}

interface ByAdmin {
  readonly id: string
  readonly by: string
}

function changeOf({ params, caller }: { params: { id: string }; caller: Caller }): ByAdmin {
  return { id: canonicalId(params.id), by: caller.id }
}

function fieldsOf({ id, by }: ByAdmin, { caller }: { caller: Caller }) {
  return { user: id, by, session: caller.sid }
}
