import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, HEADER_OR_COOKIE, problems } from '@latchkey/frame/schemas'
import type { TokenFrom, Verifier } from '@latchkey/verifier'
import { Type } from 'typebox'
import { type ActionParts, callerOf, requireTurn } from '../actions/action.ts'
import { insertTicket, TICKET_LIFE } from '../tickets/tickets.ts'
import { originOf } from './origin.ts'

/** What the endpoint needs. */
interface TicketParts extends Pick<ActionParts, 'database' | 'changes'> {
  readonly verifier: Verifier
  /** Reads the token of the header or the cookie. */
  readonly tokenFrom: TokenFrom
}

const schema = {
  tags: ['sockets'],
  operationId: 'issueTicket',
  summary: 'Get a ticket that opens one socket, for clients that cannot send headers with it, as pages in browsers',
  security: HEADER_OR_COOKIE,
  response: {
    201: Type.Object(
      {
        ticket: Type.String({ description: 'For GET /ws?ticket=… once.' }),
        expires_in: Type.Integer({ description: 'seconds' })
      },
      { title: 'Ticket' }
    ),
    ...problems(...ACCOUNT_PROBLEMS, 'too_many_requests')
  }
}

/** `POST /tickets`: a one-time ticket for a socket, with the rights and the end of the token that is shown. */
export function tickets(app: App, { database, changes, verifier, tokenFrom }: TicketParts): void {
  app.post('/tickets', { schema }, async (request, reply) => {
    const { header, claims } = await verifier.examine(tokenFrom(request.raw), {
      traceparent: request.headers['traceparent']
    })
    requireTurn(changes, callerOf(claims, originOf(request)))
    const ticket = await insertTicket(database, { kid: header.kid, claims })
    reply.code(201)
    return { ticket, expires_in: TICKET_LIFE }
  })
}
