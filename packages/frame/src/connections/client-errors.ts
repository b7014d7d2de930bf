import { randomUUID } from 'node:crypto'
import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem } from '@latchkey/problems/problem'
import { problemResponse } from '@latchkey/problems/response'
import type { FastifyReply } from 'fastify'
import type { App } from '../app-type.ts'
import { answerInstead } from '../problems.ts'
import { endGently } from './ending.ts'
import type { Connections } from './open-connections.ts'

/** An error of Node's parser, or a client that was too slow. */
interface ClientError {
  readonly code?: string | undefined
  /** The bytes that it could not parse. */
  readonly rawPacket?: unknown
}

/** Answers a client that sends no HTTP, or too slowly. */
export type ClientErrorHandler = (error: ClientError, socket: Socket) => void

/** The statuses of errors that are still HTTP, so that a client may try again differently. */
const STATUSES: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }

/**
 * Makes Node's handler for a connection that sends no HTTP, too large a head, or an incomplete one. Each request gets
 * one answer, earlier requests get theirs, and then the connection ends:
 *
 * - a request with a broken body is refused, unless its answer has begun;
 * - bytes that are no request get one 400 as problem+json. On a connection with earlier requests they get nothing,
 *   because their sender may match answers differently than we do (RFC 9112 §11.2);
 * - a head that is too large or too slow gets 431 or 408.
 *
 * `headersFor` makes the headers of an answer to an unknown request, given its Origin.
 */
export function answerClientErrors(
  app: App,
  connections: Connections,
  headersFor: (origin: string | undefined) => OutgoingHttpHeaders
): ClientErrorHandler {
  const receiving = followBodies(app)
  const ending = new WeakSet<Socket>()

  // An unknown expectation is ignored (RFC 9110 §10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.server.on('connect', (_request, socket) => endGently(socket as Socket, refusal(400)))

  function refusal(status: number, code?: string, packet?: unknown): string {
    const id = randomUUID()
    app.log.info({ request_id: id, status, reason: code ?? 'CONNECT' }, 'no request that can be answered')
    const origin = /^origin:[ \t]*(\S{1,256})/im.exec(Buffer.isBuffer(packet) ? packet.toString('latin1') : '')?.[1]
    const problem = new Problem('invalid_input', { errors: [{ field: 'request', message: 'must be HTTP/1.1' }] })
    const { headers, body } = problemResponse(problem, id)
    return write(status, { ...headersFor(origin), ...(status === 400 && headers) }, status === 400 ? body : undefined)
  }

  // The last answer of the connection, unless the request whose body broke sends it.
  function lastWords(error: ClientError, status: number, socket: Socket, isFirst: boolean): string {
    const reply = receiving.get(socket)
    if (reply?.request.raw.complete !== false) {
      return isFirst || status !== 400 ? refusal(status, error.code, error.rawPacket) : ''
    }
    refuseBody(reply, error, status)
    return ''
  }

  return (error, socket) => {
    if (socket.destroyed || ending.has(socket)) return
    const status = statusOf(error)
    if (status === undefined) {
      socket.destroy()
      return
    }
    ending.add(socket)
    const open = connections.get(socket) ?? []
    const text = lastWords(error, status, socket, socket.bytesWritten === 0 && open.length === 0)
    const last = open.at(-1)
    if (!last) return endGently(socket, text)
    if (text === '' && !last.headersSent) last.setHeader('connection', 'close')
    last.once('close', () => endGently(socket, text))
  }
}

// None for faults of the connection itself, because no client can read it.
function statusOf({ code = '' }: ClientError): number | undefined {
  return STATUSES[code] ?? (code.startsWith('HPE_') ? 400 : undefined)
}

// The requests whose bodies may still break. A request in chunks waits until everything that came with it is parsed, so
// that a broken one is refused before anything starts.
function followBodies(app: App): WeakMap<Socket, FastifyReply> {
  const receiving = new WeakMap<Socket, FastifyReply>()
  app.addHook('onRequest', ({ raw }, reply, next) => {
    const { 'transfer-encoding': encoding, 'content-length': length } = raw.headers
    if (encoding === undefined && (length === undefined || length === '0')) return next()
    receiving.set(raw.socket, reply)
    if (encoding === undefined) next()
    else queueMicrotask(() => reply.sent || next())
  })
  return receiving
}

function refuseBody(reply: FastifyReply, { code }: ClientError, status: number): void {
  if (reply.raw.headersSent) return
  reply.header('connection', 'close')
  if (status !== 400) answerInstead(reply.code(status), undefined)
  else if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') answerInstead(reply, new Problem('content_too_large'))
  else {
    const errors = [{ field: 'body', message: 'must be framed as HTTP/1.1 says' }]
    answerInstead(reply, new Problem('invalid_input', { errors }))
  }
}

function write(status: number, headers: OutgoingHttpHeaders, body: object | undefined): string {
  const text = body ? JSON.stringify(body) : ''
  const all = {
    ...headers,
    date: new Date().toUTCString(),
    connection: 'close',
    'content-length': Buffer.byteLength(text)
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', text].join('\r\n')
}
