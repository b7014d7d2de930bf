import { graph, table } from '../panels.mjs'
import { OURS, of, perMinute, since } from '../queries.mjs'

const ONE = '{{job}} {{instance}}'

/** How are the processes? */
export const processes = {
  title: 'How are the processes?',
  panels: [
    table({
      title: 'What runs',
      says: 'Version, commit and Node.js of each instance. Two versions for long: an upgrade is stuck.',
      targets: [{ expr: `latchkey_build_info${of()}` }]
    }),
    table({
      title: 'What hashes passwords',
      says: 'bcryptjs where the native bcrypt does not load: each password takes a third longer then.',
      targets: [{ expr: `latchkey_password_engine_info${of()}` }]
    }),
    graph({
      title: 'Answers on the management port',
      says: '1 if Prometheus could read it.',
      width: 12,
      alert: 'LatchkeyServiceDown',
      targets: [{ expr: `up${of(OURS)}`, legend: ONE }]
    }),
    graph({
      title: 'Processor',
      says: 'Cores that are used. Hashing uses all that it may.',
      targets: [{ expr: `rate(process_cpu_seconds_total${of(OURS)}[$__rate_interval])`, legend: ONE }]
    }),
    graph({
      title: 'Memory',
      says: 'What the process has in memory; the limit of its container ends it.',
      unit: 'bytes',
      targets: [{ expr: `process_resident_memory_bytes${of(OURS)}`, legend: ONE }]
    }),
    graph({
      title: 'Heap that is used',
      says: 'If it only grows, something is kept.',
      unit: 'bytes',
      targets: [{ expr: `nodejs_heap_size_used_bytes${of(OURS)}`, legend: ONE }]
    }),
    graph({
      title: 'Lag of the event loop, p99',
      says: 'How late timers are. Everything that the process answers is late by as much.',
      unit: 's',
      bound: 0.3,
      alert: 'LatchkeyEventLoopLag',
      targets: [{ expr: `nodejs_eventloop_lag_p99_seconds${of(OURS)}`, legend: ONE }]
    }),
    graph({
      title: 'Connections of clients',
      says: 'Open ones, sockets included.',
      targets: [{ expr: `latchkey_http_connections${of()}`, legend: ONE }]
    }),
    graph({
      title: 'Since the start',
      says: 'A fall to 0 is a restart.',
      unit: 's',
      alert: 'LatchkeyRestarts',
      targets: [{ expr: since('process_start_time_seconds', OURS), legend: ONE }]
    }),
    graph({
      title: 'Lines of the log that were lost',
      says: 'The disk or the collector could not take them.',
      unit: 'opm',
      alert: 'LatchkeyLogLost',
      targets: [{ expr: perMinute('latchkey_log_lines_lost_total', 'job, instance'), legend: ONE }]
    })
  ]
}
