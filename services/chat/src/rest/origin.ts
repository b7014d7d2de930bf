import { clientKey, clientOf } from '@latchkey/frame/client'
import type { FastifyRequest } from 'fastify'
import type { Origin } from '../actions/action.ts'

/** Where a request comes from. */
export function originOf(request: FastifyRequest): Origin {
  return { log: request.log, requestId: request.id, client: clientKey(request), ...clientOf(request) }
}
