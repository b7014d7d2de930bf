import type { App } from '@latchkey/service/app'
import { OF_BODIES, OF_TOKENS, problems } from '@latchkey/service/schemas'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../database.ts'
import type { Guards } from '../sessions/guard.ts'
import { deleteUser, disableUser, enableUser, endSessions, setRoles } from './administration.ts'
import { adminView, USER_FOR_ADMINS } from './view.ts'

const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'

const ROLES = Type.Array(
  Type.String({ pattern: '^[a-z][a-z0-9_-]{0,31}$', description: 'a word of lower-case letters' }),
  {
    maxItems: 16,
    uniqueItems: true,
    description: 'at most 16 roles; user is always added'
  }
)

const shared = {
  tags: ['administration'],
  security: [{ bearer: [] }],
  params: Type.Object({ id: Type.String({ pattern: UUID, description: 'the id of a user' }) })
}
const refusals = problems(...OF_TOKENS, ...OF_BODIES, 'insufficient_scope', 'not_found', 'last_admin')
const user = { 200: USER_FOR_ADMINS, ...refusals }
const nothing = { 204: Type.Null({ description: 'Done' }), ...refusals }

/** What administrators do to one account; each is logged with who did it to whom. */
export function changeUsers(app: App, { database, guards }: { database: Database; guards: Guards }): void {
  const onRequest = guards.admin

  app.put(
    '/users/:id/roles',
    {
      schema: {
        ...shared,
        summary: 'Set the roles of a user',
        body: Type.Object({ roles: ROLES }, { additionalProperties: false }),
        response: user
      },
      onRequest
    },
    async (request) => {
      const account = await setRoles(database, request.params.id, request.body.roles)
      note(request, 'roles_changed', request.params.id)
      return adminView(account)
    }
  )
  app.post(
    '/users/:id/disable',
    { schema: { ...shared, summary: 'Disable a user', response: user }, onRequest },
    async (request) => {
      const account = await disableUser(database, request.params.id)
      note(request, 'user_disabled', request.params.id)
      return adminView(account)
    }
  )
  app.post(
    '/users/:id/enable',
    { schema: { ...shared, summary: 'Enable a user', response: user }, onRequest },
    async (request) => {
      const account = await enableUser(database, request.params.id)
      note(request, 'user_enabled', request.params.id)
      return adminView(account)
    }
  )
  app.post(
    '/users/:id/end-sessions',
    { schema: { ...shared, summary: 'End every session of a user', response: nothing }, onRequest },
    async (request, reply) => {
      await endSessions(database, request.params.id)
      note(request, 'sessions_ended', request.params.id)
      return reply.code(204).send(null)
    }
  )
  app.delete(
    '/users/:id',
    { schema: { ...shared, summary: 'Delete an account', response: nothing }, onRequest },
    async (request, reply) => {
      await deleteUser(database, request.params.id)
      note(request, 'account_deleted', request.params.id)
      return reply.code(204).send(null)
    }
  )
}

function note(request: FastifyRequest, event: string, user: string): void {
  request.log.info({ event, user, by: request.caller.id, session: request.caller.sid }, 'administration')
}
