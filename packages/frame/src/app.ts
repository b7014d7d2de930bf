import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault
} from 'fastify'
import { Type } from 'typebox'
import { acceptFirst } from './connections/accepting.ts'
import { limitAnswerTime } from './connections/answer-time.ts'
import { acceptJsonOnly } from './bodies.ts'
import { clientAddresses, knowClients } from './client-address.ts'
import { answerClientErrors } from './connections/client-errors.ts'
import { endConnectionsWhenClosing } from './connections/closing.ts'
import type { FrameConfig } from './config.ts'
import { followConnections } from './connections/open-connections.ts'
import { allowOrigins, originHeaders } from './cors.ts'
import { requireHost } from './host.ts'
import { limitPipelining } from './connections/pipelining.ts'
import { answerFrameworkError, answerProblems, refuseOtherMethods } from './problems.ts'
import { OneLineARequest } from './request-log.ts'
import { securityHeaders, transportSecurity } from './security-headers.ts'
import { fieldValidator } from './validation.ts'

/** A Fastify app whose types come from the TypeBox schemas of its routes. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

const HEADER_LIMIT = 16 * 1024
const BODY_LIMIT = 64 * 1024
/** Longest time to receive one whole request, in milliseconds: slow senders are cut off. */
const REQUEST_TIMEOUT = 15_000
/** Longest time in which a client sends and takes nothing, in milliseconds; for an answer not taken, Node waits twice. */
const SILENCE_TIMEOUT = 15_000
/** How often slow senders are looked for, in milliseconds; Node's 30 s would let them stay three times as long. */
const CHECKING_INTERVAL = 1000

/** A query with nothing in it: what every endpoint takes that does not say otherwise. */
const NO_QUERY = Type.Object({}, { additionalProperties: false })

/** What the frame needs to know. */
export type FrameSettings = FrameConfig & {
  /** Longest time of an answer in milliseconds; then it is a 503. Unset: any. */
  readonly longestAnswer?: number
  /** Whether clients reach this service by TLS. By default only a trusted proxy's X-Forwarded-Proto tells. */
  readonly usesTls?: boolean
}

/**
 * Builds what every service stands on: strict validation, problem+json for every failure, one log line a request,
 * security headers, CORS for the configured origins.
 *
 * `endpoints` adds the service's own plugins and routes. The app is not listening and not yet ready.
 */
export async function createApp(
  config: FrameSettings,
  logger: FastifyBaseLogger,
  endpoints: (app: App) => Promise<void>
): Promise<App> {
  const addressOf = clientAddresses(config.TRUST_PROXY)
  const paths = new Set<string>()
  let onClientError: ReturnType<typeof answerClientErrors> = (_error, socket) => void socket.destroy()
  const app: App = Fastify({
    loggerInstance: logger,
    genReqId: () => randomUUID(),
    logController: new OneLineARequest({ addressOf, paths }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: SILENCE_TIMEOUT,
    keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT * 1000,
    clientErrorHandler: (error, socket) => onClientError(error, socket as Socket),
    http: {
      // Here it is refused as every other fault is, and not by Node.
      requireHostHeader: false,
      maxHeaderSize: HEADER_LIMIT,
      // Node would take the longer of the two, by default 60 s, for the whole request, and the shorter for its head.
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECKING_INTERVAL
    },
    // While it closes, requests on open connections are still answered; nothing that arrived is dropped.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: answerFrameworkError
  }).withTypeProvider<TypeBoxTypeProvider>()
  // Who ends its side when it has asked still waits for the answer. Node has this setting, but no type for it; by default it
  // sends no answer that is not made by then.
  Object.assign(app.server, { httpAllowHalfOpen: true })
  app.setValidatorCompiler(fieldValidator())

  knowClients(app, addressOf, config.TRUST_PROXY)
  app.addHook('onRoute', (route) => {
    paths.add(route.url)
    if (!route.schema?.hide) route.schema = { querystring: NO_QUERY, ...route.schema }
  })
  // What tells of a user is nobody else's; documents that may be kept say so themselves.
  const headers = { 'cache-control': 'no-store', ...securityHeaders() }
  app.addHook('onRequest', (request, reply, next) => {
    reply.headers(headers).headers(transportSecurity(request, config.usesTls ?? false))
    next()
  })
  // Before what may answer in a route's place, so that pages can read those answers too.
  if (config.CORS_ORIGINS) await allowOrigins(app, config.CORS_ORIGINS)
  requireHost(app)
  const connections = followConnections(app)
  onClientError = answerClientErrors(app, connections, (origin) => ({
    ...headers,
    ...(config.CORS_ORIGINS && originHeaders(config.CORS_ORIGINS, origin))
  }))
  if (config.longestAnswer !== undefined) limitAnswerTime(app, config.longestAnswer)
  // After the limit, so that its time includes this.
  acceptFirst(app)
  endConnectionsWhenClosing(app, connections)
  limitPipelining(app, connections)
  acceptJsonOnly(app)
  answerProblems(app)
  await endpoints(app)
  refuseOtherMethods(app, [...paths])
  return app
}
