import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems } from '@latchkey/frame/schemas'
import { findBearer } from '@latchkey/tokens/bearer'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { DEVICE_MEMORY } from '../guards/genuine.ts'
import type { Parts } from '../parts/parts.ts'
import { PASSWORD } from '../passwords/fields.ts'
import type { ResourceParameter } from '../sessions/audience.ts'
import { TOKENS } from '../sessions/tokens.ts'
import { EMAIL } from '../users/fields.ts'
import { type PasswordLoginParts, passwordLogin } from './password-login.ts'

const schemaOf = (resource: ResourceParameter) => ({
  tags: ['sessions'],
  operationId: 'logIn',
  summary: 'Log in with address and password',
  description:
    'After ten wrong passwords in a row for one address, each further attempt has to wait. A device that was logged in ' +
    'before can send its last refresh token, even an expired one: its attempts are then counted separately.',
  security: [{}, { refreshToken: [] }],
  body: Type.Object({ email: EMAIL, password: PASSWORD, resource }, { additionalProperties: false }),
  response: {
    200: TOKENS,
    ...problems(...BODY_PROBLEMS, 'invalid_credentials', 'account_disabled', 'email_unverified', 'too_many_requests')
  }
})

type LoginParts = PasswordLoginParts & Pick<Parts, 'findGenuine' | 'limit' | 'resource'>

/** `POST /login`: a {@link passwordLogin}. A device can show its earlier refresh token in the Authorization header. */
export function login(app: App, parts: LoginParts): void {
  const { tokens, findGenuine, limit, resource } = parts
  const logIn = passwordLogin(parts)
  const find = ({ raw }: FastifyRequest) => findBearer(raw.rawHeaders)
  app.post(
    '/login',
    { schema: schemaOf(resource), config: { audited: 'login' }, onRequest: limit.count },
    limit.spaced(async (request, reply) => {
      const { resource, ...credentials } = request.body
      const shown = () => findGenuine('refresh', { request, find }, DEVICE_MEMORY)
      return reply.send(await tokens.issue(await logIn(request, { ...credentials, shown }), resource))
    })
  )
}
