import type { IncomingMessage } from 'node:http'
import { Problem } from '@latchkey/problems/problem'
import type { App } from './app-type.ts'

/** A name or an address, and a port (RFC 3986 §3.2.2 and §3.2.3). */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/**
 * Refuses an HTTP/1.1 request without a Host, and any request with two or a malformed one (RFC 9112 §3.2). It answers
 * 400 and closes the connection, because a proxy may have read another host.
 */
export function requireHost(app: App): void {
  app.addHook('onRequest', ({ raw }, reply, next) => {
    if (hasOneHost(raw)) return next()
    reply.header('connection', 'close')
    next(
      new Problem('invalid_input', { errors: [{ field: 'Host', message: 'must be one host, with or without a port' }] })
    )
  })
}

function hasOneHost({ headers, rawHeaders, httpVersion }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersion === '1.0'
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count < 2 && HOST.test(headers.host)
}
