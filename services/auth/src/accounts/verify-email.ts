import { type Note, transact } from '@latchkey/audit/acting'
import type { Queryable } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, HEADER_OR_COOKIE, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { CODE, findCode, forgetCodes, type ShownCode, useCode } from '../mail/codes.ts'
import { useSignupCode } from '../mail/signups.ts'
import type { Parts } from '../parts/parts.ts'
import type { Caller } from '../sessions/rows.ts'
import { addUser, markVerified, replaceEmail } from '../users/change.ts'
import { EMAIL } from '../users/fields.ts'
import { lockWithTokenHash } from '../users/token-hash.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'verifyEmail',
  summary: 'Prove an address with the code that was mailed to it',
  description:
    'For a change of address, also send the access token of the account, in the header or as the cookie. A code works once. If it is wrong, used or expired, the answer is the same.',
  security: [{}, ...HEADER_OR_COOKIE],
  body: Type.Object({ email: EMAIL, code: CODE }, { additionalProperties: false }),
  response: {
    204: Type.Null({ description: 'The address is verified' }),
    ...problems(...BODY_PROBLEMS, ...ACCOUNT_PROBLEMS, 'invalid_code', 'email_taken', 'too_many_requests')
  }
}

/** `POST /verify-email`: for the address of an account, of a sign-up, or the new address of an account. */
export function verifyEmail(
  app: App,
  {
    database,
    actingOf,
    guards,
    limit,
    outbox,
    signup
  }: Pick<Parts, 'database' | 'actingOf' | 'guards' | 'limit' | 'outbox' | 'signup'>
): void {
  const config = { audited: 'email_verified' } as const
  app.post('/verify-email', { schema, config, onRequest: [guards.ownSite, limit.count] }, async (request, reply) => {
    const shown = request.body
    const acting = actingOf(request)
    const found = await findCode(database, shown)
    acting.account = found?.userId ?? undefined
    switch (found?.purpose) {
      case 'verify_email':
        await transact(acting, async (connection, note) => {
          await verify(connection, shown, found.userId)
          note('email_verified', { user: found.userId })
        })
        break
      case 'sign_up':
        if (signup !== 'open') throw new Problem('invalid_code', { reason: 'nobody signs up any more' })
        await transact(acting, (connection, note) => signUp(connection, note, shown))
        break
      case 'change_email':
        await change(request, shown, found.userId)
        break
      default:
        throw new Problem('invalid_code', { reason: 'no such code' })
    }
    return reply.code(204).send(null)
  })

  // The code alone is not enough: the owner of a mistyped address would get the account.
  async function change(request: FastifyRequest, shown: ShownCode, userId: string): Promise<void> {
    await guards.account(request)
    const { caller } = request
    if (caller.id !== userId) throw new Problem('invalid_code', { reason: 'the code of another account' })
    await transact(actingOf(request), async (connection, note) => {
      // Before the change, because a warning to a verified address has no limit.
      await outbox.add(connection, { purpose: 'email_changed', userId, email: caller.email })
      const email = await moveTo(connection, shown, caller)
      note('email_changed', { user: userId, session: caller.sid }, { personal: { email } })
    })
    outbox.wake()
  }
}

async function verify(connection: Queryable, shown: ShownCode, userId: string): Promise<void> {
  if (!(await useCode(connection, { shown, userId, present: true }))) throw usedMeanwhile()
  await forgetCodes(connection, [userId], 'verify_email')
  await markVerified(connection, userId)
}

async function signUp(connection: Queryable, note: Note, shown: ShownCode): Promise<void> {
  const signup = await useSignupCode(connection, shown)
  const account = signup && (await addUser(connection, { ...signup, verified: true }))
  if (!account) throw usedMeanwhile()
  const { id, email, username } = account
  note('signup', { user: id }, { personal: { email, username } })
}

async function moveTo(connection: Queryable, shown: ShownCode, caller: Caller): Promise<string> {
  if (!(await lockWithTokenHash(connection, caller.id, caller.token_hash))) {
    throw new Problem('invalid_code', { reason: 'all sessions were ended meanwhile' })
  }
  const email = await useCode(connection, { shown, userId: caller.id, present: false })
  if (!email) throw usedMeanwhile()
  // Also the codes that went to the old address.
  await forgetCodes(connection, [caller.id])
  await replaceEmail(connection, caller.id, email)
  return email
}

function usedMeanwhile(): Problem {
  return new Problem('invalid_code', { reason: 'the code was used or replaced meanwhile' })
}
