import { graph } from '../panels.mjs'
import { of, perMinute } from '../queries.mjs'

/** Is mail going out? */
export const mail = {
  title: 'Is mail going out?',
  panels: [
    graph({
      title: 'Mails that wait',
      says: 'All instances share one outbox. Counted up to 10,000.',
      targets: [{ expr: `max(latchkey_mail_outbox${of()})`, legend: 'mails' }]
    }),
    graph({
      title: 'Age of the oldest mail',
      says: 'People wait for a code. One mail can be old because its mailbox takes nothing yet.',
      unit: 's',
      bound: 600,
      alert: 'LatchkeyMailLate',
      targets: [{ expr: `max(latchkey_mail_oldest_seconds${of()})`, legend: 'oldest' }]
    }),
    graph({
      title: 'Instances that pause',
      says: '1: the mail server cannot be used. Between pauses the instance tries once.',
      alert: 'LatchkeyMailPaused',
      targets: [{ expr: `latchkey_mail_paused${of()}`, legend: '{{instance}}' }]
    }),
    graph({
      title: 'Mails',
      says: 'refused: the server will never take it. late: its time was over. dropped: not wanted any more.',
      unit: 'opm',
      stacked: true,
      width: 12,
      alert: 'LatchkeyMailsRefused',
      targets: [{ expr: perMinute('latchkey_mails_total', 'outcome'), legend: '{{outcome}}' }]
    }),
    graph({
      title: 'Shared Signals',
      says: 'Security Event Tokens. refused, given_up and lost did not reach their receiver.',
      unit: 'opm',
      stacked: true,
      width: 12,
      alert: 'LatchkeySignalsLost',
      targets: [{ expr: perMinute('latchkey_signals_total', 'outcome'), legend: '{{outcome}}' }]
    })
  ]
}
