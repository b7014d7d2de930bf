import { graph } from '../panels.mjs'
import { of, perMinute, quantiles } from '../queries.mjs'

const rateOf = (/** @type {string} */ part) => `sum(rate(latchkey_message_batch_size_${part}${of()}[$__rate_interval]))`

/** Do the sockets of the chat keep up? */
export const chat = {
  title: 'Do the sockets keep up?',
  panels: [
    graph({
      title: 'Open sockets',
      says: 'By what is spoken on them.',
      targets: [{ expr: `latchkey_sockets${of()}`, legend: '{{instance}} {{protocol}}' }]
    }),
    graph({
      title: 'Sockets that ended',
      says: 'By close code: 1000 and 1001 are ordinary, 1006 is a lost connection, the others are in PROTOCOL.md.',
      unit: 'opm',
      targets: [{ expr: perMinute('latchkey_socket_closes_total', 'code'), legend: '{{code}}' }]
    }),
    graph({
      title: 'Rooms that are listened to',
      says: 'behind are those whose reader is slow, so that they read from the table.',
      alert: 'LatchkeySocketsBehind',
      targets: [
        { expr: `sum by (instance) (latchkey_subscriptions${of()})`, legend: '{{instance}} all' },
        { expr: `sum by (instance) (latchkey_subscriptions_behind${of()})`, legend: '{{instance}} behind' }
      ]
    }),
    graph({
      title: 'Messages',
      says: 'Those that were committed.',
      unit: 'opm',
      targets: [{ expr: perMinute('latchkey_messages_total', 'instance'), legend: '{{instance}}' }]
    }),
    graph({
      title: 'Messages of a statement',
      says: 'On average. More than one: a busy room is written in batches.',
      targets: [{ expr: `${rateOf('sum')} / ${rateOf('count')}`, legend: 'messages' }]
    }),
    graph({
      title: 'From the commit to the socket',
      says: "Of sockets that keep up, by the database's clock.",
      unit: 's',
      bound: 1,
      alert: 'LatchkeyDeliverySlow',
      targets: quantiles('latchkey_delivery_seconds')
    }),
    graph({
      title: 'Redis tells of messages',
      says: '1 or 0; nothing without Redis. Without it messages of other instances come late.',
      alert: 'LatchkeyNoticesAway',
      targets: [{ expr: `latchkey_notices_connected${of()}`, legend: '{{instance}}' }]
    })
  ]
}
