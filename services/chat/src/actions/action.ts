import type { Source } from '@latchkey/audit/record'
import type { Refusals } from '@latchkey/audit/refusals'
import type { Database } from '@latchkey/database/pool'
import type { EventLog } from '@latchkey/events/emit'
import type { ProblemCode } from '@latchkey/problems/codes'
import { Problem } from '@latchkey/problems/problem'
import type { AccessClaims } from '@latchkey/verifier'
import { type Static, type TObject, type TSchema, Type } from 'typebox'
import type { Committed, Lanes } from '../events/lanes.ts'
import type { Buckets } from '../limits/buckets.ts'

/** Where a request comes from: its log and what the audit log keeps of it. */
export interface Origin extends Source {
  readonly log: EventLog
  /** The client as it is counted: an IPv4 address, or the /64 of an IPv6 address. */
  readonly client: string
}

/** Who does something, by their token. */
export interface Caller {
  readonly user_id: string
  readonly username: string
  /** The session of the token. */
  readonly session: string
  /** The token has the role `admin`: administrators keep order in rooms of others. */
  readonly isAdmin: boolean
  readonly origin: Origin
}

/** What actions need. */
export interface ActionParts {
  readonly database: Database
  /** Sends messages. */
  readonly lanes: Pick<Lanes, 'send'>
  /** Gets events that are committed, for those who listen. */
  readonly committed: Committed
  /** Records who was not let do something. */
  readonly refusals: Pick<Refusals, 'add'>
  /** Counts the messages of each user. */
  readonly messages: Buckets
  /** Counts what else each user changes. */
  readonly changes: Buckets
}

/** Something that a user can do, the same by REST, GraphQL and WebSocket: each of these faces only translates. */
export interface Action<I extends TObject, O extends TSchema> {
  /** As requests on a socket name it. */
  readonly name: string
  /** What it does, in a few words, for documents. */
  readonly summary: string
  readonly input: I
  readonly output: O
  /** The refusals of its own; those of tokens and input come in addition. */
  readonly problems: readonly ProblemCode[]
  /** Does it. Throws a Problem. */
  run(parts: ActionParts, caller: Caller, input: Static<I>): Promise<Static<O>>
}

/** Any action, for faces that treat all alike: they validate the input by its schema first. */
export interface AnyAction {
  readonly name: string
  readonly summary: string
  readonly input: TObject
  readonly output: TSchema
  readonly problems: readonly ProblemCode[]
  run(parts: ActionParts, caller: Caller, input: unknown): Promise<unknown>
}

/** Gives the types of an action from its schemas. */
export function action<I extends TObject, O extends TSchema>(definition: Action<I, O>): Action<I, O> {
  return definition
}

/** Throws `too_many_requests` if a user does something more often than these buckets allow. */
export function requireTurn(buckets: Buckets, { user_id }: Caller): void {
  const retryAfter = buckets.take(user_id)
  if (retryAfter > 0) throw new Problem('too_many_requests', { retryAfter })
}

/** The output of an action that answers only that it is done. */
export const DONE = Type.Object({})

/** The role of the token by which somebody is an administrator. */
const ADMIN = 'admin'

/** Who acts, by the claims of their token, and from where. */
export function callerOf({ sub, preferred_username, sid, roles }: AccessClaims, origin: Origin): Caller {
  return { user_id: sub, username: preferred_username, session: sid, isAdmin: roles.includes(ADMIN), origin }
}
