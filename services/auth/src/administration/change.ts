import type { App } from '@latchkey/frame/app-type'
import { OF_BODIES, OF_TOKENS, problems } from '@latchkey/frame/schemas'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { A_ROLE, canonicalId, idOf } from '../users/fields.ts'
import { type Change, deleteUser, disableUser, enableUser, endSessions, MAX_ROLES, setRoles } from './actions.ts'
import { adminView, USER_FOR_ADMINS } from './view.ts'

const ROLES = Type.Array(Type.String({ maxLength: 32, pattern: A_ROLE, description: 'a word of lower-case letters' }), {
  maxItems: MAX_ROLES,
  anyOf: [{ maxItems: MAX_ROLES - 1 }, { contains: { const: 'user' } }],
  uniqueItems: true,
  description: `at most ${MAX_ROLES} roles, user among them: it is added where it is missing`,
  examples: [['user', 'editor']]
})

const shared = {
  tags: ['administration'],
  security: [{ bearer: [] }],
  params: Type.Object({ id: idOf('a user') })
}
const refusals = problems(...OF_TOKENS, ...OF_BODIES, 'insufficient_scope', 'not_found', 'last_admin')
const user = { 200: USER_FOR_ADMINS, ...refusals }
const nothing = { 204: Type.Null({ description: 'Done' }), ...refusals }

/** What administrators do to one account; each is logged with who did it to whom. */
export function changeUsers(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  const onRequest = guards.admin
  const post = (
    what: string,
    about: { operationId: string; summary: string },
    event: string,
    apply: typeof disableUser
  ) =>
    app.post(
      `/users/:id/${what}`,
      { schema: { ...shared, ...about, response: user }, onRequest },
      async (request: FastifyRequest) => adminView(await noted(request, event, (who) => apply(database, who)))
    )

  app.put(
    '/users/:id/roles',
    {
      schema: {
        ...shared,
        operationId: 'setUserRoles',
        summary: 'Set the roles of a user; nobody adds to their own',
        body: Type.Object({ roles: ROLES }, { additionalProperties: false }),
        response: user
      },
      onRequest
    },
    async (request) => {
      const { roles } = request.body
      const account = await noted(request, 'roles_changed', (who) => setRoles(database, who, roles), { roles })
      return adminView(account)
    }
  )
  post(
    'disable',
    { operationId: 'disableUser', summary: 'Disable a user: every session ends and nobody logs in' },
    'user_disabled',
    disableUser
  )
  post('enable', { operationId: 'enableUser', summary: 'Enable a user' }, 'user_enabled', enableUser)
  app.post(
    '/users/:id/end-sessions',
    {
      schema: { ...shared, operationId: 'endUserSessions', summary: 'End every session of a user', response: nothing },
      onRequest
    },
    async (request, reply) => {
      await noted(request, 'sessions_ended', (who) => endSessions(database, who))
      return reply.code(204).send(null)
    }
  )
  app.delete(
    '/users/:id',
    { schema: { ...shared, operationId: 'deleteUser', summary: 'Delete an account', response: nothing }, onRequest },
    async (request, reply) => {
      await noted(request, 'account_deleted', (who) => deleteUser(database, who))
      return reply.code(204).send(null)
    }
  )
}

async function noted<T>(
  request: FastifyRequest,
  event: string,
  apply: (who: Change) => Promise<T>,
  details: object = {}
): Promise<T> {
  const id = canonicalId((request.params as { id: string }).id)
  const { caller } = request
  const done = await apply({ id, by: caller.id })
  request.log.info({ event, user: id, by: caller.id, session: caller.sid, ...details }, 'changed by an administrator')
  return done
}
