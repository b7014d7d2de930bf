import type { Acting } from '@latchkey/audit/acting'
import type { Database } from '@latchkey/database/pool'
import { type Client, clientOf } from '@latchkey/frame/client'
import type { FastifyRequest } from 'fastify'

/** On whose behalf a request acts, and its client: the same for all of one request. */
export type ActingOf = (request: FastifyRequest) => Acting & Client

/** Makes {@link ActingOf}. */
export function createActingOf(database: Database): ActingOf {
  const known = new WeakMap<FastifyRequest, Acting & Client>()
  return (request) => {
    const found = known.get(request)
    if (found) return found
    const acting = { database, log: request.log, requestId: request.id, ...clientOf(request) }
    known.set(request, acting)
    return acting
  }
}
