import type { FastifyRequest } from 'fastify'
import type { Origin } from './sessions.ts'

/** Longest part of a User-Agent that is kept, in characters. */
const LONGEST_USER_AGENT = 256

/** Where a request comes from: the client's address, behind trusted proxies too, and its User-Agent. */
export function originOf(request: FastifyRequest): Origin {
  return { ip: request.ip, userAgent: request.headers['user-agent']?.slice(0, LONGEST_USER_AGENT) ?? null }
}
