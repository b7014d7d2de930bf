import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import helmet from 'helmet'

/**
 * The security headers for answers that are no pages: helmet's, with a policy that allows nothing.
 *
 * helmet is asked once. @fastify/helmet asks it for each request, which costs more than all of Fastify.
 */
export function securityHeaders(): OutgoingHttpHeaders {
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  const directives = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }
  const setHeaders = helmet({
    strictTransportSecurity: false,
    contentSecurityPolicy: { useDefaults: false, directives }
  })
  setHeaders(response.req, response, () => {})
  return response.getHeaders()
}

/** One year, only for this host: whether its subdomains have TLS is unknown. */
const HSTS = { 'strict-transport-security': 'max-age=31536000' }

/**
 * The header that makes browsers use only TLS (RFC 6797), if the request came by TLS: a trusted proxy says so, or, if
 * it says nothing, `usesTls` does.
 */
export function transportSecurity({ headers, protocol }: FastifyRequest, usesTls: boolean): OutgoingHttpHeaders {
  const isTls = headers['x-forwarded-proto'] === undefined ? usesTls : protocol === 'https'
  return isTls ? HSTS : {}
}
