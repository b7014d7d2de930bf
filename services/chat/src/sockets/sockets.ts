import type { Socket } from 'node:net'
import type { Refusals } from '@latchkey/audit/refusals'
import type { App } from '@latchkey/frame/app-type'
import { ACCESS_TOKEN, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Problem, unavailable } from '@latchkey/problems/problem'
import type { VerifiedToken, Verifier } from '@latchkey/verifier'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ActionParts, Origin } from '../actions/action.ts'
import type { Live } from '../live/live.ts'
import { originOf } from '../rest/origin.ts'
import { admit } from '../tickets/admission.ts'
import { Connection } from './connection.ts'
import type { ConnectionParts } from './connection-parts.ts'
import { FRAME_BYTES } from './frames.ts'
import { judgeHandshake, PROTOCOL, VERSION } from './handshake.ts'
import { Rates } from './rates.ts'
import { Registry } from './registry.ts'
import { answerer } from './requests.ts'
import { Visits } from './visits.ts'

/** After how many seconds to try again while there are as many sockets as there may be. */
const FULL_RETRY_AFTER = 5

const PATH = '/ws'

/**
 * Of the library, for sockets of every kind. Its types lack `closeTimeout`, how long a client may take to answer a close
 * frame, in milliseconds, and `maxPendingAutoPongs`: with so many answers to pings unsent it cuts the socket. A flood is
 * noticed before.
 */
export const OPTIONS = {
  noServer: true,
  maxPayload: FRAME_BYTES,
  perMessageDeflate: false,
  clientTracking: false,
  closeTimeout: 5000,
  maxPendingAutoPongs: 256
}

/** The settings of sockets; durations in seconds. */
export interface SocketSettings {
  readonly CORS_ORIGINS?: readonly string[] | undefined
  readonly MESSAGES_PER_MINUTE: number
  readonly SOCKETS_PER_USER: number
  readonly SOCKETS_MAX: number
  readonly EXPIRY_WARNING: number
  readonly HEARTBEAT: number
  readonly DRAIN_TIME: number
}

/** What sockets need. */
export interface SocketsParts {
  readonly verifier: Verifier
  readonly actions: ActionParts
  readonly live: Live
  /** Records which sockets open and close. */
  readonly records: Pick<Refusals, 'add'>
}

const schema = {
  tags: ['sockets'],
  operationId: 'connect',
  summary: 'Open a WebSocket',
  description: 'PROTOCOL.md of the service has the handshake, the messages and the close codes.',
  security: [...ACCESS_TOKEN, {}],
  querystring: Type.Object(
    { ticket: Type.Optional(Type.String({ description: 'a one-time ticket of POST /tickets' })) },
    { additionalProperties: false }
  ),
  response: problems(...TOKEN_PROBLEMS, 'cross_site', 'upgrade_required')
}

/** What all sockets of this instance share, whatever is spoken on them. */
export interface SharedBySockets {
  readonly registry: Registry
  readonly rates: Rates
  readonly visits: Visits
  /** Throws `unavailable` if there is no place for one more socket. */
  requirePlace(): void
}

/** `GET /ws`: opens a socket, or refuses the handshake as any other request. */
export function sockets(
  app: App,
  settings: SocketSettings,
  { verifier, actions, live, records }: SocketsParts
): SharedBySockets {
  const registry = new Registry()
  const visits = new Visits(records)
  const { database, refusals } = actions
  const parts: ConnectionParts = {
    verifier,
    database,
    live,
    refusals,
    rates: new Rates(settings.MESSAGES_PER_MINUTE),
    heartbeat: settings.HEARTBEAT * 1000,
    expiryWarning: settings.EXPIRY_WARNING * 1000,
    messagesPerMinute: settings.MESSAGES_PER_MINUTE,
    answer: answerer(actions)
  }
  const server = new WebSocketServer({
    ...OPTIONS,
    handleProtocols: (offered) => offered.has(PROTOCOL) && PROTOCOL
  })

  async function judge(request: FastifyRequest): Promise<VerifiedToken> {
    if (!app.upgrades.of(request)) throw new Problem('upgrade_required')
    const { credential } = judgeHandshake(request.raw, settings.CORS_ORIGINS ?? [])
    requirePlace()
    const token = await admit({ verifier, database }, credential, { traceparent: request.headers['traceparent'] })
    // Others came while it waited.
    requirePlace()
    return token
  }

  function requirePlace(): void {
    if (app.closing.aborted) throw unavailable('the service stops')
    if (registry.size >= settings.SOCKETS_MAX) throw unavailable('SOCKETS_MAX sockets are open', FULL_RETRY_AFTER)
  }

  function open(socket: WebSocket, connection: Socket, token: VerifiedToken, origin: Origin): void {
    const opened = new Connection(parts, { socket, connection }, token, origin)
    const isOneTooMany = registry.countOf(opened.user) >= settings.SOCKETS_PER_USER
    registry.add(opened, opened.user)
    visits.opened(origin, opened.life.claims)
    const since = performance.now()
    socket.once('close', (code) => {
      registry.delete(opened)
      visits.closed(origin, opened.life.claims, { code, ms: performance.now() - since })
    })
    // After the handshake: a browser would not see its answer, and would come again at once.
    if (isOneTooMany) opened.close('too_many_sockets')
    else opened.begin()
  }

  app.upgrades.allow(PATH)
  app.get(PATH, {
    schema,
    exposeHeadRoute: false,
    onRequest: async (request, reply) => {
      const token = await judge(request).catch((error) => refuse(reply, error))
      const origin = originOf(request)
      const { socket: connection, head } = app.upgrades.take(reply)
      server.handleUpgrade(request.raw, connection, head, (socket) => open(socket, connection, token, origin))
    },
    handler: () => undefined
  })

  let drained: Promise<void> | undefined
  app.closing.addEventListener('abort', () => {
    drained = registry.drain(settings.DRAIN_TIME * 1000)
  })
  app.addHook('preClose', () => drained ?? Promise.resolve())
  return { registry, rates: parts.rates, visits, requirePlace }
}

function refuse(reply: FastifyReply, error: unknown): never {
  reply.header('connection', 'close')
  if (error instanceof Problem && error.code === 'upgrade_required') reply.header('sec-websocket-version', VERSION)
  throw error
}
