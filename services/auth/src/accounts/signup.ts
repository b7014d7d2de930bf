import { emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { clientKey } from '../limits/requests.ts'
import type { Parts } from '../parts/parts.ts'
import { newPassword } from '../passwords/fields.ts'
import { isOwnWord, OWN_WORD } from '../passwords/policy.ts'
import { addUser } from '../users/change.ts'
import { EMAIL, publicUser, USER, USERNAME } from '../users/fields.ts'
import { normalizeUsername } from '../users/username.ts'

const schemaOf = (minLength: number) => ({
  tags: ['accounts'],
  operationId: 'signUp',
  summary: 'Make an account',
  security: [],
  body: Type.Object(
    { email: EMAIL, username: USERNAME, password: newPassword(minLength) },
    { additionalProperties: false }
  ),
  response: {
    201: USER,
    ...problems(...BODY_PROBLEMS, 'email_taken', 'too_many_requests')
  }
})

/** `POST /signup`: if many requests use one address at once, in any letter case, only one succeeds. */
export function signup(
  app: App,
  { database, passwords, minLength, limit }: Pick<Parts, 'database' | 'passwords' | 'minLength' | 'limit'>
): void {
  app.post(
    '/signup',
    { schema: schemaOf(minLength), onRequest: limit.count },
    limit.spaced(async (request, reply) => {
      const { email, password } = request.body
      const username = normalizeUsername(request.body.username)
      if (isOwnWord(password, { email, username })) {
        throw new Problem('invalid_input', { errors: [{ field: 'password', message: OWN_WORD }] })
      }
      const passwordHash = await passwords.hash({ client: clientKey(request), user: email.toLowerCase() }, password)
      const account = await addUser(database, { email, username, passwordHash })
      if (!account) throw new Problem('email_taken')
      emit(request.log, 'signup', { user: account.id })
      return reply.code(201).send(publicUser(account))
    })
  )
}
