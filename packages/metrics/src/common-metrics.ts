import type { Metric } from './definition.ts'

/** What every service says of itself. */
export const COMMON_METRICS = {
  http_server_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the headers of a request to the end of its answer, by the pattern of its route ("" if it has none). Not of /healthz and /readyz, nor of questions that wait in the revocation feed.',
    labels: { http_request_method: 'open', http_route: 'open', status_class: 'open' },
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
  },
  latchkey_http_connections: { type: 'gauge', help: 'Open connections of clients, sockets included.' },
  latchkey_refusals_total: {
    type: 'counter',
    help: 'Requests and messages that were not done, by the code of the problem.',
    labels: { code: 'open' }
  },
  latchkey_log_lines_lost_total: { type: 'counter', help: 'Lines that the log could not take.' },
  latchkey_build_info: {
    type: 'gauge',
    help: 'Always 1: what runs.',
    labels: { version: 'open', commit: 'open', node: 'open' }
  }
} as const satisfies Record<string, Metric>

/** What a service with a database says of it. */
export const DATABASE_METRICS = {
  latchkey_database_up: {
    type: 'gauge',
    help: 'Whether the database answered the statements of this scrape: 1 or 0.'
  },
  latchkey_database_connections: {
    type: 'gauge',
    help: 'Connections of the pool; waiting are requests that have none yet.',
    labels: { state: ['idle', 'busy', 'waiting'] }
  },
  latchkey_database_errors_total: {
    type: 'counter',
    help: 'Statements that failed, by the class of their SQLSTATE; connection if they did not reach the server.',
    labels: { class: 'open' }
  },
  latchkey_audit_unsealed_records: {
    type: 'gauge',
    help: 'Records of the audit log that wait for their number and hash; counted up to 10,000.'
  },
  latchkey_audit_seal_lag_seconds: { type: 'gauge', help: 'Age of the oldest of them; 0 without any.' },
  latchkey_audit_refusals_waiting: { type: 'gauge', help: 'Refusals that wait to be written to the audit log.' },
  latchkey_audit_refusals_lost_total: {
    type: 'counter',
    help: 'Refusals that are not in the audit log: left out because there were too many, or lost.',
    labels: { reason: ['left_out', 'lost'] }
  }
} as const satisfies Record<string, Metric>
