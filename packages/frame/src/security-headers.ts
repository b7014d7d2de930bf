import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import helmet from 'helmet'

/**
 * The headers that keep browsers strict, for answers that are no pages: helmet's, with a policy that allows nothing.
 *
 * helmet is asked once. @fastify/helmet asks it anew for each request, which costs more than all of Fastify.
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

/** A year, of this host alone: whether its subdomains have TLS is not ours to say. */
const HSTS = { 'strict-transport-security': 'max-age=31536000' }

/**
 * The header by which browsers come back over TLS alone (RFC 6797), where TLS is known, and else none: a trusted proxy says
 * that this request came by it, or says nothing and `usesTls` tells it of all requests.
 */
export function transportSecurity({ headers, protocol }: FastifyRequest, usesTls: boolean): OutgoingHttpHeaders {
  const isTls = headers['x-forwarded-proto'] === undefined ? usesTls : protocol === 'https'
  return isTls ? HSTS : {}
}
