import type { IncomingMessage } from 'node:http'
import { Problem } from '@latchkey/problems/problem'
import type { App } from './app-type.ts'

/** A name or an address, and a port (RFC 3986 §3.2.2 and §3.2.3). */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/**
 * Refuses requests of HTTP/1.1 without a Host, and any with two or with one that is none (RFC 9112 §3.2), with 400, and
 * ends their connection: somebody on the way may have read another one.
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
