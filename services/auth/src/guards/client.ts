import { harmless } from '@latchkey/frame/harmless'
import type { FastifyRequest } from 'fastify'
import type { Client } from '../sessions/rows.ts'

/** Longest part of a User-Agent that is kept, in UTF-16 units. */
const LONGEST_USER_AGENT = 256

/** The client of a request: its address, also behind trusted proxies, and its User-Agent, made {@link harmless}. */
export function clientOf({ ip, headers }: FastifyRequest): Client {
  const userAgent = headers['user-agent']
  return {
    ip,
    userAgent:
      userAgent === undefined ? null : harmless(userAgent.slice(0, LONGEST_USER_AGENT)).slice(0, LONGEST_USER_AGENT)
  }
}
