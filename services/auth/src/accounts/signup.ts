import { transact } from '@latchkey/audit/acting'
import type { App } from '@latchkey/frame/app-type'
import { clientKey } from '@latchkey/frame/client'
import { BODY_PROBLEMS, noBody, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { addSignup } from '../mail/signups.ts'
import type { Parts } from '../parts/parts.ts'
import { newPassword } from '../passwords/fields.ts'
import { refuseOwnWord } from '../passwords/policy.ts'
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
    202: noBody('With REQUIRE_VERIFIED_EMAIL=on: a mail with a code is on its way, for every address'),
    ...problems(...BODY_PROBLEMS, 'signup_closed', 'email_taken', 'too_many_requests')
  }
})

type SignupParts = Pick<
  Parts,
  'database' | 'actingOf' | 'passwords' | 'minLength' | 'limit' | 'outbox' | 'requireVerified' | 'signup'
>

/**
 * `POST /signup`: if many requests use one address at once, in any letter case, only one succeeds.
 *
 * With `requireVerified` the account is made only when the code of the mail is entered. The answer is then the same for
 * free and taken addresses.
 */
export function signup(app: App, parts: SignupParts): void {
  const { database, actingOf, passwords, minLength, limit, outbox, requireVerified } = parts
  const refuseClosed = async () => {
    if (parts.signup !== 'open') throw new Problem('signup_closed')
  }
  app.post(
    '/signup',
    { schema: schemaOf(minLength), config: { audited: 'signup' }, onRequest: [limit.count, refuseClosed] },
    limit.spaced(async (request, reply) => {
      const { email, password } = request.body
      const username = normalizeUsername(request.body.username)
      refuseOwnWord('password', password, { email, username })
      const passwordHash = await passwords.hash({ client: clientKey(request), user: email.toLowerCase() }, password)
      if (requireVerified) {
        await addSignup(database, { email, username, passwordHash })
        outbox.wake()
        return reply.code(202).send()
      }
      const account = await transact(actingOf(request), async (connection, note) => {
        const added = await addUser(connection, { email, username, passwordHash })
        if (!added) throw new Problem('email_taken')
        await outbox.add(connection, { purpose: 'verify_email', userId: added.id })
        note('signup', { user: added.id }, { personal: { email, username } })
        return added
      })
      outbox.wake()
      return reply.code(201).send(publicUser(account))
    })
  )
}
