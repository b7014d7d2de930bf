import type { IncomingMessage } from 'node:http'
import { Problem } from '@latchkey/problems/problem'
import { findBearer } from '@latchkey/tokens/bearer'
import { isFromHost } from '@latchkey/tokens/cross-site'
import { valuesOf } from '@latchkey/tokens/headers'
import type { Credential } from '../tickets/admission.ts'

/** The subprotocol of the chat (RFC 6455 §1.9). */
export const PROTOCOL = 'latchkey.chat.v1'

/** What begins the subprotocol by which a page sends its token, because it can set no header. */
const BEARER = 'bearer.'

/** The version of the WebSocket protocol (RFC 6455 §4.1), the only one. */
export const VERSION = '13'

const KEY = /^[+/0-9A-Za-z]{22}==$/

/** Of subprotocols: a token of HTTP (RFC 9110 §5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Members of the query by which others take tokens; every log on the way would have them. */
const TOKEN_MEMBERS = ['token', 'access_token']

const USE_TICKET =
  'Never put a token into a URL: ask for a one-time ticket with POST /tickets and connect with "?ticket=".'

/** A handshake that may go on: what it is to be admitted by. */
export interface Asked {
  readonly credential: Credential
}

/**
 * Judges a handshake without looking at its token, by the first row of the table in PROTOCOL.md that fits: version, key,
 * Origin, query, credentials, subprotocols. It never looks at cookies: so no page of another site can act as its visitor.
 *
 * Throws a Problem.
 */
export function judgeHandshake(request: IncomingMessage, origins: readonly string[]): Asked {
  const protocols = requireHandshake(request, origins)
  const credential = credentialOf(request, protocols)
  if (protocols.length > 0) requireProtocol(protocols, PROTOCOL)
  return { credential }
}

/** Judges what every handshake must have: version, key, Origin. Returns the subprotocols that are offered. Throws a Problem. */
export function requireHandshake({ rawHeaders, httpVersion }: IncomingMessage, origins: readonly string[]): string[] {
  const one = (name: string) => valuesOf(rawHeaders, name).join(', ')
  if (httpVersion !== '1.1' || one('sec-websocket-version') !== VERSION) throw new Problem('upgrade_required')
  if (!KEY.test(one('sec-websocket-key'))) throw malformed('Sec-WebSocket-Key is not 16 bytes as base64')
  requireOwnOrigin(rawHeaders, origins)
  return protocolsOf(rawHeaders)
}

function requireOwnOrigin(rawHeaders: readonly string[], origins: readonly string[]): void {
  const [origin, second] = valuesOf(rawHeaders, 'origin')
  if (origin === undefined) return
  if (second !== undefined) throw new Problem('cross_site')
  if (!origins.includes(origin) && !isFromHost(origin, valuesOf(rawHeaders, 'host'))) throw new Problem('cross_site')
}

function credentialOf({ url = '', rawHeaders }: IncomingMessage, protocols: readonly string[]): Credential {
  const mark = url.indexOf('?')
  const query = [...new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1))]
  const tickets = query.filter(([name]) => name === 'ticket').map(([, ticket]) => ({ ticket }))
  const bearers = protocols.filter(isBearer).map((protocol) => ({ token: protocol.slice(BEARER.length) }))
  const isAlone = tickets.length === 0 && bearers.length === 0 && valuesOf(rawHeaders, 'authorization').length === 0
  if (isAlone && query.some(([name]) => TOKEN_MEMBERS.includes(name))) {
    throw new Problem('missing_token', { detail: USE_TICKET })
  }
  if (query.length > tickets.length || tickets.length > 1) {
    const message = 'must be nothing but one ticket'
    throw new Problem('invalid_input', { errors: [{ field: 'query', message }] })
  }
  const header = findBearer(rawHeaders)
  const [credential, second] = [...(header === undefined ? [] : [{ token: header }]), ...bearers, ...tickets]
  if (!credential) throw new Problem('missing_token')
  if (second) throw malformed('there are two credentials')
  return credential
}

/** Judges the subprotocols that are offered: `wanted` must be there. Throws `invalid_request`. */
export function requireProtocol(protocols: readonly string[], wanted: string): void {
  if (!protocols.includes(wanted))
    throw malformed(`the subprotocol ${wanted} is not offered`, `Offer the subprotocol ${wanted}.`)
  if (!protocols.every((protocol) => TOKEN.test(protocol)) || new Set(protocols).size < protocols.length) {
    throw malformed('Sec-WebSocket-Protocol is no list of different subprotocols')
  }
}

function isBearer(protocol: string): boolean {
  return protocol.startsWith(BEARER)
}

// An empty header offers an empty name, which is none.
function protocolsOf(rawHeaders: readonly string[]): string[] {
  const offered = valuesOf(rawHeaders, 'sec-websocket-protocol')
  return offered.flatMap((list) => list.split(',')).map((protocol) => protocol.replace(/^[ \t]+|[ \t]+$/g, ''))
}

function malformed(reason: string, detail = DETAIL): Problem {
  return new Problem('invalid_request', { reason, detail })
}

const DETAIL = `Send Sec-WebSocket-Key as RFC 6455 has it, exactly one credential, and offer ${PROTOCOL} if you offer subprotocols.`
