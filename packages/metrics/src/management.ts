import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { atAddressOf } from '@latchkey/frame/listening'
import type { Metrics } from './open.ts'

/** Most connections; further ones are closed at once. Who scrapes needs one. */
const MOST_CONNECTIONS = 64

/** Longest time to receive a request, in milliseconds. */
const REQUEST_TIMEOUT = 5000

/**
 * Listens on the management port: `GET /metrics`, for Prometheus. It is a listener of its own, so that it answers while the
 * port of clients is full, and only who monitors has to reach it.
 *
 * Throws an Error that names the setting, if it cannot listen.
 */
export async function listenForScrapes(
  metrics: Metrics,
  { host, port }: { readonly host: string; readonly port: number }
): Promise<{ close(): void }> {
  const options = {
    requestTimeout: REQUEST_TIMEOUT,
    headersTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: 1000
  }
  const server = createServer(options, answerScrapes(metrics))
  server.maxConnections = MOST_CONNECTIONS
  await atAddressOf(host, { name: 'MANAGEMENT_HOST' }, async (address) => {
    server.listen({ host: address, port })
    await once(server, 'listening').catch(failedToListen)
  })
  return { close: () => end(server) }
}

function answerScrapes(metrics: Metrics): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0]
    if (path !== '/metrics') {
      response.writeHead(404, PLAIN).end('There is only /metrics here.\n')
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...PLAIN, allow: 'GET, HEAD' }).end('Only GET and HEAD.\n')
    } else {
      metrics.scrape().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        (error) => response.writeHead(500, PLAIN).end(`The metrics could not be made: ${error}\n`)
      )
    }
  }
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

function end(server: Server): void {
  server.close()
  server.closeAllConnections()
}

function failedToListen(error: NodeJS.ErrnoException): never {
  if (error.code !== 'EADDRINUSE') throw error
  throw new Error(`${error.message}. Stop what listens there, or set another MANAGEMENT_PORT.`, { cause: error })
}
