import { Problem } from '@latchkey/problems/problem'
import type { Verifier } from '@latchkey/verifier'
import { execute, GraphQLError, subscribe } from 'graphql'
import { CloseCode, makeServer, type SubscribePayload } from 'graphql-ws'
import { type ActionParts, callerOf } from '../actions/action.ts'
import type { Live } from '../live/live.ts'
import { logRefusal, problemOf } from '../sockets/failures.ts'
import { closeOf } from '../sockets/life.ts'
import { timeOf } from '../sockets/messages.ts'
import type { SharedBySockets } from '../sockets/sockets.ts'
import { admit, type Credential } from '../tickets/admission.ts'
import type { GraphqlConnection } from './connection.ts'
import { Context } from './context.ts'
import { type Asked, shownErrors } from './errors.ts'
import type { Engine, Operation } from './operation.ts'
import { MOST_OPERATIONS, Operations } from './operations.ts'
import { listenTo } from './room-events.ts'

/** How long a client may take to say who it is, in milliseconds. */
const INIT_TIME = 5000

/** What sockets that speak GraphQL need. */
export interface GraphqlSocketParts {
  readonly verifier: Verifier
  readonly actions: ActionParts
  readonly live: Live
  readonly engine: Engine
  readonly shared: SharedBySockets
}

/** What serving one socket needs. */
interface ServeParts extends GraphqlSocketParts {
  /** Called when the client has said who it is. */
  known(): void
  readonly mostOfUser: number
}

/**
 * Speaks graphql-transport-ws with one socket. Returns what has to be called when it is closed, which ends its
 * subscriptions.
 */
export function serve(
  connection: GraphqlConnection,
  parts: ServeParts
): (code: number, reason: string) => Promise<void> {
  const { origin } = connection
  const asked: Asked = { log: origin.log, requestId: origin.requestId ?? '' }
  const operations = new Operations()
  const server = makeServer({
    connectionInitWaitTimeout: INIT_TIME,
    onConnect: ({ connectionParams }) => greet(connection, parts, connectionParams),
    onSubscribe: (open, id, payload) => {
      if (!operations.hasPlace(id, open)) return shownErrors([tooMany()], asked)
      const prepared = prepare(connection, parts, payload, asked)
      if (!Array.isArray(prepared)) operations.add(id, open, prepared)
      return prepared
    },
    execute: (args) =>
      operations.run(args, (isStillWanted) =>
        connection.afterOthers(async () => (isStillWanted() ? execute(args) : { data: null }))
      ),
    subscribe: (args) => operations.run(args, () => subscribe(args)),
    onNext: (_ctx, _id, _payload, _args, { errors, data }) => {
      if (!errors) return undefined
      const shown = shownErrors(errors, asked)
      if (shown.some(isTooOften) && parts.shared.rates.isDeaf(connection.user)) connection.end('flood')
      return { ...(data !== undefined && { data }), errors: shown.map((error) => error.toJSON()) }
    },
    // Those of onSubscribe are shown already.
    onError: (_ctx, _id, _payload, errors) =>
      errors
        .flatMap((error) => (error.extensions['code'] ? [error] : shownErrors([error], asked)))
        .map((error) => error.toJSON())
  })
  return server.opened(connection, undefined)
}

async function greet(
  connection: GraphqlConnection,
  { verifier, actions: { database }, shared: { registry, visits }, known, mostOfUser }: ServeParts,
  said: Readonly<Record<string, unknown>> | undefined
): Promise<Record<string, unknown> | false> {
  const credential = credentialOf(said)
  if (!credential) {
    connection.close(CloseCode.Unauthorized, 'Unauthorized')
    return false
  }
  try {
    const token = await admit({ verifier, database }, credential)
    if (!connection.isOpen) return false
    known()
    const { sub, exp } = token.claims
    if (registry.countOf(sub) >= mostOfUser) {
      connection.end('too_many_sockets')
      return false
    }
    registry.add(connection, sub)
    connection.bind(token)
    visits.opened(connection.origin, token.claims)
    return { expires_at: timeOf(exp) }
  } catch (error) {
    logRefusal(connection.origin.log, problemOf(error))
    connection.end(closeOf(error))
    return false
  }
}

// Exactly one of the two.
function credentialOf({ token, ticket }: Readonly<Record<string, unknown>> = {}): Credential | undefined {
  if (typeof token === 'string' && ticket === undefined) return { token }
  return typeof ticket === 'string' && token === undefined ? { ticket } : undefined
}

function prepare(connection: GraphqlConnection, parts: ServeParts, payload: SubscribePayload, asked: Asked) {
  const { actions, live, engine } = parts
  const { token, origin, over } = connection
  if (!token) throw new TypeError('nobody has said who the client is')
  const context = new Context(actions, callerOf(token.claims, origin), over, (caller, wish) =>
    listenTo({ ...actions, live }, connection, caller, wish)
  )
  const prepared = engine.prepare(payload as Operation, context, asked)
  return Array.isArray(prepared) ? prepared : prepared.args
}

function tooMany(): GraphQLError {
  const detail = `A socket has at most ${MOST_OPERATIONS} operations at once.`
  return new GraphQLError('', { originalError: new Problem('limit_reached', { detail }) })
}

function isTooOften({ extensions }: GraphQLError): boolean {
  return extensions['code'] === 'too_many_requests'
}
