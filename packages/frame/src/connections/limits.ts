import type { OutgoingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from '../app-type.ts'
import { acceptFirst } from './accepting.ts'
import { limitAnswerTime } from './answer-time.ts'
import { answerClientErrors, type ClientErrorHandler } from './client-errors.ts'
import { endConnectionsWhenClosing } from './closing.ts'
import { followConnections } from './open-connections.ts'
import { limitPipelining } from './pipelining.ts'

const HEADER_LIMIT = 16 * 1024
/** Longest time to receive one whole request, in milliseconds: slow senders are cut off. */
const REQUEST_TIMEOUT = 15_000
/** Longest time in which a client sends and takes nothing, in milliseconds; for an answer not taken, Node waits twice. */
const SILENCE_TIMEOUT = 15_000
/** How often slow senders are looked for, in milliseconds; Node's 30 s would let them stay three times as long. */
const CHECKING_INTERVAL = 1000

/** What connections are held to. */
interface ConnectionSettings {
  /** Longest time of an answer in milliseconds; then it is a 503. Unset: any. */
  readonly longestAnswer: number | undefined
  /** Makes the headers of an answer that no request is known for, given the Origin. */
  readonly headersFor: (origin: string | undefined) => OutgoingHttpHeaders
}

/**
 * The options of Fastify that bound connections. `keepAlive` is the time in seconds that an idle one is kept open; `handler`
 * hands in what {@link limitConnections} returns, which cannot be had before the app.
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
      // Here it is refused as every other fault is, and not by Node.
      requireHostHeader: false,
      maxHeaderSize: HEADER_LIMIT,
      // Node would take the longer of the two, by default 60 s, for the whole request, and the shorter for its head.
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECKING_INTERVAL
    },
    // While it closes, requests on open connections are still answered; nothing that arrived is dropped.
    return503OnClosing: false,
    forceCloseConnections: 'idle' as const
  }
}

/**
 * Holds the connections of an app to all the rules of this folder, in the order that they need. Returns what answers a
 * client that sends no HTTP.
 *
 * Call it before the first hook that may answer, and before every route.
 */
export function limitConnections(app: App, { longestAnswer, headersFor }: ConnectionSettings): ClientErrorHandler {
  // Who ends its side when it has asked still waits for the answer. Node has this setting, but no type for it; by default it
  // sends no answer that is not made by then.
  Object.assign(app.server, { httpAllowHalfOpen: true })
  const connections = followConnections(app)
  const answer = answerClientErrors(app, connections, headersFor)
  if (longestAnswer !== undefined) limitAnswerTime(app, longestAnswer)
  // After the limit, so that its time includes this.
  acceptFirst(app)
  endConnectionsWhenClosing(app, connections)
  limitPipelining(app, connections)
  return answer
}
