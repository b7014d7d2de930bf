import { emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { logOutEverywhere } from '../sessions/revocation.ts'

const schema = {
  tags: ['sessions'],
  operationId: 'logOutEverywhere',
  summary: 'End every session of the caller, this one too',
  security: [{ bearer: [] }],
  response: {
    204: Type.Null({ description: 'All sessions are over' }),
    ...problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS)
  }
}

/** `POST /logout-everywhere`: replaces the token hash, so every earlier refresh token is invalid. */
export function logoutEverywhere(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  app.post('/logout-everywhere', { schema, onRequest: guards.access }, async (request, reply) => {
    const { caller } = request
    await logOutEverywhere(database, caller)
    emit(request.log, 'logout_everywhere', { user: caller.id, session: caller.sid })
    return reply.code(204).send(null)
  })
}
