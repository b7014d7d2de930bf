import type { App } from '@latchkey/frame/app-type'
import type { Metrics } from './open.ts'

/** Routes that are asked all the time, or whose answers wait on purpose. */
const LEFT_OUT: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz', '/revocations'])

/** The method of a request for which there is no route, as OpenTelemetry writes what it does not know. */
const OTHER = '_OTHER'

/**
 * Measures the requests of an app by method, pattern of the route and class of the status. Paths and methods that a client
 * has made up are no labels: a request without a route has the route `""` and the method `_OTHER`, as has one with 405.
 */
export function measureRequests(app: App, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { url: route } = request.routeOptions
    done()
    if (LEFT_OUT.has(route)) return
    const hasRoute = !request.is404 && reply.statusCode !== 405
    metrics.observe('http_server_request_duration_seconds', reply.elapsedTime / 1000, {
      http_request_method: hasRoute ? request.method : OTHER,
      http_route: request.is404 ? '' : (route ?? ''),
      status_class: `${Math.trunc(reply.statusCode / 100)}xx`
    })
  })
  let connections = 0
  app.server.on('connection', (socket) => {
    connections += 1
    socket.once('close', () => {
      connections -= 1
    })
  })
  metrics.read((set) => set('latchkey_http_connections', connections))
}
