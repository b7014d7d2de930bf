import { graph } from '../panels.mjs'
import { of, perMinute } from '../queries.mjs'

/** Is the database well, and the audit log? */
export const database = {
  title: 'Is the database well?',
  panels: [
    graph({
      title: 'The database answers',
      says: '1 if it answered the statements of the scrape.',
      alert: 'LatchkeyDatabaseDown',
      targets: [{ expr: `latchkey_database_up${of()}`, legend: '{{job}} {{instance}}' }]
    }),
    graph({
      title: 'Connections',
      says: 'waiting are requests that have none yet: there should be none for long.',
      alert: 'LatchkeyDatabaseBusy',
      targets: [{ expr: `sum by (job, state) (latchkey_database_connections${of()})`, legend: '{{job}} {{state}}' }]
    }),
    graph({
      title: 'Statements that fail',
      says: 'By class of SQLSTATE. 23 is ordinary (an address that is taken); connection did not reach the server.',
      unit: 'opm',
      alert: 'LatchkeyDatabaseErrors',
      targets: [{ expr: perMinute('latchkey_database_errors_total', 'job, class'), legend: '{{job}} {{class}}' }]
    }),
    graph({
      title: 'Audit log: not sealed yet',
      says: 'Records without number and hash, and refusals that are not written yet.',
      targets: [
        { expr: `max by (job) (latchkey_audit_unsealed_records${of()})`, legend: '{{job}} unsealed' },
        { expr: `sum by (job) (latchkey_audit_refusals_waiting${of()})`, legend: '{{job}} refusals waiting' }
      ]
    }),
    graph({
      title: 'Audit log: age of the oldest',
      says: 'Of the records that wait for their number and hash: about a second.',
      unit: 's',
      bound: 60,
      alert: 'LatchkeyAuditUnsealed',
      targets: [{ expr: `max by (job) (latchkey_audit_seal_lag_seconds${of()})`, legend: '{{job}}' }]
    }),
    graph({
      title: 'Audit log: refusals that are not in it',
      says: 'left_out: too many at once, as in an attack. lost: they could not be written.',
      unit: 'opm',
      alert: 'LatchkeyAuditLost',
      targets: [{ expr: perMinute('latchkey_audit_refusals_lost_total', 'job, reason'), legend: '{{job}} {{reason}}' }]
    })
  ]
}
