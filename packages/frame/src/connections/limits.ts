import type { OutgoingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from '../app-type.ts'
import { acceptFirst } from './accepting.ts'
import { limitAnswerTime } from './answer-time.ts'
import { answerClientErrors, type ClientErrorHandler } from './client-errors.ts'
import { endConnectionsWhenClosing } from './closing.ts'
import { followConnections } from './open-connections.ts'
import { limitPipelining } from './pipelining.ts'
import { Upgrades } from './upgrades.ts'

const HEADER_LIMIT = 16 * 1024
/** Longest time to receive a whole request, in milliseconds. */
const REQUEST_TIMEOUT = 15_000
/**
 * Longest time in which a client sends and reads nothing, in milliseconds; for an unread answer Node waits twice as
 * long.
 */
const SILENCE_TIMEOUT = 15_000
/** How often slow senders are looked for, in milliseconds; with Node's 30 s they could stay three times as long. */
const CHECKING_INTERVAL = 1000

/** The limits of connections. */
interface ConnectionSettings {
  /** Longest time of an answer, in milliseconds; after it the answer is 503. By default there is no limit. */
  readonly longestAnswer: number | undefined
  /** Makes the headers of an answer to an unknown request, given its Origin. */
  readonly headersFor: (origin: string | undefined) => OutgoingHttpHeaders
}

/**
 * The options of Fastify that limit connections. `keepAlive` is how long an idle connection stays open, in seconds.
 * `handler` returns the result of {@link limitConnections}, which needs the app first.
 */
export function connectionOptions(keepAlive: number, handler: () => ClientErrorHandler | undefined) {
  return {
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: SILENCE_TIMEOUT,
    keepAliveTimeout: keepAlive * 1000,
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: unknown) => {
      const answer = handler()
      if (answer) answer(error, socket as Socket)
      else (socket as Socket).destroy()
    },
    http: {
      // The app refuses it like every other fault, not Node.
      requireHostHeader: false,
      maxHeaderSize: HEADER_LIMIT,
      // Node would use the longer of the two, by default 60 s, for the whole request, and the shorter for its head.
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECKING_INTERVAL
    },
    // A closing app still answers requests on open connections and drops none.
    return503OnClosing: false,
    forceCloseConnections: 'idle' as const
  }
}

/**
 * Applies all rules of this folder to the connections of an app, in the order that they need. Returns the handler for
 * clients that send no HTTP.
 *
 * Call it before the first hook that may answer, and before every route.
 */
export function limitConnections(app: App, { longestAnswer, headersFor }: ConnectionSettings): ClientErrorHandler {
  // A client that ends its side after the request still waits for the answer; by default Node would drop it. Node has
  // this setting, but no type for it.
  Object.assign(app.server, { httpAllowHalfOpen: true })
  const connections = followConnections(app)
  const answer = answerClientErrors(app, connections, headersFor)
  if (longestAnswer !== undefined) limitAnswerTime(app, longestAnswer)
  // After the time limit, so that the limit includes this wait.
  acceptFirst(app)
  endConnectionsWhenClosing(app, connections)
  limitPipelining(app, connections)
  app.decorate('upgrades', new Upgrades(app, connections))
  return answer
}
