import type { Acting } from '@latchkey/audit/acting'
import type { Refused } from '@latchkey/audit/record'
import type { Refusals } from '@latchkey/audit/refusals'
import type { Audited } from '@latchkey/events/definition'
import { type AuditedName, EVENTS } from '@latchkey/events/events'
import { clientKey } from '@latchkey/frame/client'
import { canonicalId, isId } from '@latchkey/frame/ids'
import type { OnProblem } from '@latchkey/frame/problems'
import type { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import type { ActingOf } from '../guards/acting.ts'

/** What a refusal tells besides its code. */
type Named = Pick<Refused, 'event' | 'route'>

/**
 * Makes the listener that records what is refused, under the event of the route. A route without one records who is not
 * let in (401, 403), but not what happens every day: no token, or an expired one.
 *
 * A request that fails after its change was committed is no refusal: its record tells what was done.
 */
export function recordRefusals({ actingOf, refusals }: { actingOf: ActingOf; refusals: Refusals }): OnProblem {
  return (request, problem) => {
    const named = nameOf(request, problem)
    if (!named) return
    const acting = actingOf(request)
    if (acting.isDone) return
    const account = acting.account ?? claimsOf(request)?.sub
    refusals.add({
      ...named,
      outcome: problem.status < 500 ? 'refused' : 'failed',
      code: problem.code,
      ...actorOf(request, named.event),
      ...targetOf(request, named.event, account),
      ...(account !== undefined && { account }),
      unless: acting.written?.[0]?.id ?? null,
      ...sourceOf(request, acting)
    })
  }
}

/** The client of a request: as it is counted, and as it is recorded. */
export function sourceOf(request: FastifyRequest, { requestId, ip, userAgent }: Acting) {
  return { client: clientKey(request), source: { requestId, ip, userAgent } }
}

function nameOf({ routeOptions, method }: FastifyRequest, { status, code }: Problem): Named | undefined {
  const { audited } = routeOptions.config
  if (audited) return { event: audited }
  const isEveryDay = code === 'missing_token' || code === 'token_expired'
  if ((status !== 401 && status !== 403) || isEveryDay) return undefined
  return { event: 'refused', route: `${method} ${routeOptions.url}` }
}

// Without a caller, the genuine token of a session may be known, which nobody has to be the owner of.
function actorOf(request: FastifyRequest, event: AuditedName): Pick<Refused, 'actor' | 'session'> {
  const { caller } = request
  const session = claimsOf(request)?.sid
  if (!caller) return session === undefined ? {} : { session }
  const { actor, target }: Audited = EVENTS[event].audit
  const isForAdmins = actor === 'admin' || (target === 'user' && namesId(request))
  const kind = isForAdmins && caller.roles.includes('admin') ? 'admin' : 'user'
  return { actor: { kind, id: caller.id, session: caller.sid } }
}

// The claims of a genuine token that the request has shown.
function claimsOf({ accessClaims, refreshClaims, leavingClaims }: FastifyRequest) {
  return (accessClaims ?? refreshClaims ?? leavingClaims) as { sub: string; sid: string } | undefined
}

function targetOf(request: FastifyRequest, event: AuditedName, account: string | undefined): Pick<Refused, 'target'> {
  const { actor, target }: Audited = EVENTS[event].audit
  const id = idOf(request)
  if (target !== undefined && id !== undefined) return { target: { kind: target, id } }
  // Without a good id in the path nobody is aimed at.
  const isOwn = actor === 'user' && target === 'user' && !namesId(request)
  const user = request.caller ? (isOwn ? request.caller.id : undefined) : account
  return user === undefined ? {} : { target: { kind: 'user', id: user } }
}

/** Whether the route is about the user or session of an id. */
function namesId({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.includes(':id') ?? false
}

// Also before the parameters are validated.
function idOf({ params }: FastifyRequest): string | undefined {
  const { id } = (params ?? {}) as { readonly id?: unknown }
  return typeof id === 'string' && isId(id) ? canonicalId(id) : undefined
}
