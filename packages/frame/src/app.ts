import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger } from 'fastify'
import { Type } from 'typebox'
import type { App } from './app-type.ts'
import { acceptJsonOnly } from './bodies.ts'
import { clientAddresses, knowClients } from './client-address.ts'
import type { FrameConfig } from './config.ts'
import type { ClientErrorHandler } from './connections/client-errors.ts'
import { connectionOptions, limitConnections } from './connections/limits.ts'
import { allowOrigins, originHeaders } from './cors.ts'
import { requireHost } from './host.ts'
import { answerFrameworkError, answerProblems, type OnProblem, refuseOtherMethods } from './problems.ts'
import { OneLineARequest, withTrace } from './request-log.ts'
import { securityHeaders, transportSecurity } from './security-headers.ts'
import { lateSerializers } from './serializers.ts'
import { fieldValidator } from './validation.ts'

/** Largest body of a request, in bytes. */
const BODY_LIMIT = 64 * 1024

/** An empty query: the default for every endpoint. */
const NO_QUERY = Type.Object({}, { additionalProperties: false })

/** The settings of the frame. */
export type FrameSettings = FrameConfig & {
  /** Longest time of an answer, in milliseconds; after it the answer is 503. By default there is no limit. */
  readonly longestAnswer?: number
  /** Whether clients reach this service by TLS. By default only X-Forwarded-Proto of a trusted proxy says so. */
  readonly usesTls?: boolean
  /** Gets each problem that a route ends a request with; what it throws is logged. By default nobody does. */
  readonly onProblem?: OnProblem
}

/**
 * Builds the base of every service: strict validation, problem+json for every failure, one log line per request,
 * security headers, CORS for the configured origins.
 *
 * `endpoints` adds the service's own plugins and routes. The returned app is not ready and does not listen yet.
 */
export async function createApp(
  config: FrameSettings,
  logger: FastifyBaseLogger,
  endpoints: (app: App) => Promise<void>
): Promise<App> {
  const addressOf = clientAddresses(config.TRUST_PROXY)
  const paths = new Set<string>()
  let onClientError: ClientErrorHandler | undefined
  const app: App = Fastify({
    loggerInstance: logger,
    genReqId: () => randomUUID(),
    childLoggerFactory: withTrace,
    logController: new OneLineARequest({ addressOf, paths }),
    bodyLimit: BODY_LIMIT,
    schemaController: { compilersFactory: { buildSerializer: lateSerializers } },
    ...connectionOptions(config.KEEP_ALIVE_TIMEOUT, () => onClientError),
    frameworkErrors: answerFrameworkError
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(fieldValidator())

  knowClients(app, addressOf, config.TRUST_PROXY)
  app.addHook('onRoute', (route) => {
    paths.add(route.url)
    if (!route.schema?.hide) route.schema = { querystring: NO_QUERY, ...route.schema }
  })
  // Answers about a user must not be cached; public documents set their own header.
  const headers = { 'cache-control': 'no-store', ...securityHeaders() }
  app.addHook('onRequest', (request, reply, next) => {
    reply.headers(headers).headers(transportSecurity(request, config.usesTls ?? false))
    next()
  })
  // Before all hooks that may answer, so that pages can read those answers too.
  if (config.CORS_ORIGINS) await allowOrigins(app, config.CORS_ORIGINS)
  requireHost(app)
  onClientError = limitConnections(app, {
    longestAnswer: config.longestAnswer,
    headersFor: (origin) => ({
      ...headers,
      ...(config.CORS_ORIGINS && originHeaders(config.CORS_ORIGINS, origin))
    })
  })
  acceptJsonOnly(app)
  answerProblems(app, config.onProblem)
  await endpoints(app)
  refuseOtherMethods(app, [...paths])
  return app
}
