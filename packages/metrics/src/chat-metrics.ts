import type { Metric } from './definition.ts'

/**
 * The close codes that are counted by themselves: those of RFC 6455 §7.4.1, and those of the service's protocols. A client
 * can close with any other.
 */
export const CLOSE_CODES = [
  '1000',
  '1001',
  '1002',
  '1003',
  '1005',
  '1006',
  '1007',
  '1008',
  '1009',
  '1011',
  '1013',
  '4400',
  '4401',
  '4403',
  '4406',
  '4408',
  '4409',
  '4429',
  'other'
] as const

/** What the chat says of its sockets and rooms. */
export const CHAT_METRICS = {
  latchkey_sockets: {
    type: 'gauge',
    help: 'Open sockets, by what is spoken on them.',
    labels: { protocol: ['chat', 'graphql'] }
  },
  latchkey_socket_closes_total: {
    type: 'counter',
    help: 'Sockets that ended, by close code (RFC 6455 §7.4); 1005 and 1006 without one, other for what only a client uses.',
    labels: { code: CLOSE_CODES }
  },
  latchkey_subscriptions: { type: 'gauge', help: 'Rooms that sockets listen to.' },
  latchkey_subscriptions_behind: {
    type: 'gauge',
    help: 'Those whose reader is slow, so that they read from the table.'
  },
  latchkey_messages_total: { type: 'counter', help: 'Messages that were committed here.' },
  latchkey_message_batch_size: {
    type: 'histogram',
    help: 'Messages of a statement.',
    buckets: [1, 2, 5, 10, 20, 50, 100]
  },
  latchkey_delivery_seconds: {
    type: 'histogram',
    help: "Time from the commit of an event, by the database's clock, until it is written to a socket that keeps up.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  },
  latchkey_notices_connected: {
    type: 'gauge',
    help: 'Whether both connections to Redis stand: 1 or 0; missing without Redis. What it refuses is in the log alone.'
  }
} as const satisfies Record<string, Metric>
