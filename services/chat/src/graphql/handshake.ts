import type { IncomingMessage } from 'node:http'
import { Problem } from '@latchkey/problems/problem'
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws'
import { requireHandshake, requireProtocol } from '../sockets/handshake.ts'

/** The only subprotocol of sockets that speak GraphQL. */
export const PROTOCOL = GRAPHQL_TRANSPORT_WS_PROTOCOL

/**
 * Judges a handshake at /graphql: version, key and Origin as at /ws, no query, the subprotocol. Credentials come in the first
 * message; headers and cookies are not looked at. Throws a Problem.
 */
export function judgeGraphqlHandshake(request: IncomingMessage, origins: readonly string[]): void {
  const protocols = requireHandshake(request, origins)
  if (request.url?.includes('?')) {
    const message = 'must be empty: the token comes in connection_init'
    throw new Problem('invalid_input', { errors: [{ field: 'query', message }] })
  }
  requireProtocol(protocols, PROTOCOL)
}
