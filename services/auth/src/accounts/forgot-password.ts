import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, noBody, problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { EMAIL } from '../users/fields.ts'

const schema = {
  tags: ['accounts'],
  operationId: 'forgotPassword',
  summary: 'Ask for a mail with a code that sets a new password',
  description: 'The answer is the same for every address, known or unknown.',
  security: [],
  body: Type.Object({ email: EMAIL }, { additionalProperties: false }),
  response: {
    202: noBody('If there is an account with this address, a mail is on its way'),
    ...problems(...BODY_PROBLEMS, 'too_many_requests')
  }
}

/** `POST /forgot-password`: looks up no account, so neither the answer nor its time tells who has one. */
export function forgotPassword(
  app: App,
  { actingOf, limit, outbox }: Pick<Parts, 'actingOf' | 'limit' | 'outbox'>
): void {
  app.post('/forgot-password', { schema, onRequest: limit.count }, async (request, reply) => {
    await outbox.ask(actingOf(request), 'reset_password', request.body.email)
    outbox.wake()
    return reply.code(202).send()
  })
}
