import type { App } from '@latchkey/service/app'
import { OF_BODIES, problems } from '@latchkey/service/schemas'
import { Problem } from '@latchkey/tokens/errors'
import { Type } from 'typebox'
import type { Queryable } from '../database.ts'
import type { LimitRequests } from '../limits/requests.ts'
import { checkUsername, EMAIL, PASSWORD, publicUser, USER, USERNAME } from './fields.ts'
import { refusePassword } from './password-policy.ts'
import type { Passwords } from './passwords.ts'
import { addUser } from './users.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'signUp',
  summary: 'Make an account',
  security: [],
  body: Type.Object({ email: EMAIL, username: USERNAME, password: PASSWORD }, { additionalProperties: false }),
  response: {
    201: USER,
    ...problems(...OF_BODIES, 'email_taken', 'too_many_requests')
  }
}

/** What signing up is made of; `minLength` of a password in code points. */
export interface SignupParts {
  readonly database: Queryable
  readonly passwords: Passwords
  readonly minLength: number
  readonly limit: LimitRequests
}

/** `POST /signup`: of any number that try one address at once, in whatever letter case, one gets it. */
export function signup(app: App, { database, passwords, minLength, limit }: SignupParts): void {
  app.post('/signup', { schema, onRequest: limit }, async (request, reply) => {
    const { email, password } = request.body
    const { username, error } = checkUsername(request.body.username)
    const refusal = refusePassword(password, minLength, { email, username })
    const errors = [...(error ? [error] : []), ...(refusal ? [{ field: 'password', message: refusal }] : [])]
    if (errors.length > 0) throw new Problem('invalid_input', { errors })
    const account = await addUser(database, { email, username, passwordHash: await passwords.hash(password) })
    if (!account) throw new Problem('email_taken')
    request.log.info({ event: 'signup', user: account.id }, 'signed up')
    return reply.code(201).send(publicUser(account))
  })
}
