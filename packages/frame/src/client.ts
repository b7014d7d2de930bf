import { isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { harmless } from './harmless.ts'

/** The client of a request, as sessions and the audit log keep it. */
export interface Client {
  readonly ip: string
  readonly userAgent: string | null
}

/** Longest part of a User-Agent that is kept, in UTF-16 units. */
const LONGEST_USER_AGENT = 256

/** The client of a request: its address, also behind trusted proxies, and its User-Agent, made {@link harmless}. */
export function clientOf({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>): Client {
  const userAgent = headers['user-agent']
  return {
    ip,
    userAgent:
      userAgent === undefined ? null : harmless(userAgent.slice(0, LONGEST_USER_AGENT)).slice(0, LONGEST_USER_AGENT)
  }
}

/** Groups of an IPv6 address, and of the part of it that belongs to one client. */
const GROUPS = 8
const OWN_GROUPS = 4

/** The client address as it is counted: for IPv6 the /64, which belongs to one client. */
export function clientKey({ ip }: Pick<FastifyRequest, 'ip'>): string {
  if (!isIPv6(ip)) return ip
  const [before = '', after] = ip.split('::')
  const [left, right] = [before, after ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array<string>(GROUPS - (left?.length ?? 0) - (right?.length ?? 0)).fill('0')
  const groups = after === undefined ? (left ?? []) : [...(left ?? []), ...zeros, ...(right ?? [])]
  const own = groups.slice(0, OWN_GROUPS).map((group) => Number.parseInt(group, 16).toString(16))
  return `${own.join(':')}::/64`
}
