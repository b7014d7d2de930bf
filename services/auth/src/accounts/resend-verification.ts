import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, noBody, problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { EMAIL } from '../users/fields.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'resendVerification',
  summary: 'Ask for another mail with a code that proves the address',
  description: 'The answer is the same for every address, known or unknown.',
  security: [],
  body: Type.Object({ email: EMAIL }, { additionalProperties: false }),
  response: {
    202: noBody('If this address waits to be verified, a mail is on its way'),
    ...problems(...BODY_PROBLEMS, 'too_many_requests')
  }
}

/** `POST /verify-email/resend`: for an account, or for a sign-up that waits for its code. Looks up no account. */
export function resendVerification(
  app: App,
  { actingOf, limit, outbox }: Pick<Parts, 'actingOf' | 'limit' | 'outbox'>
): void {
  app.post('/verify-email/resend', { schema, onRequest: limit.count }, async (request, reply) => {
    await outbox.ask(actingOf(request), 'verify_email', request.body.email)
    outbox.wake()
    return reply.code(202).send()
  })
}
