import { graph } from '../panels.mjs'
import { of, perMinute } from '../queries.mjs'

/** Is somebody attacking? */
export const attack = {
  title: 'Is somebody attacking?',
  panels: [
    graph({
      title: 'Logins that are not right',
      says: 'Compare them with the right ones. limited_account: too many wrong ones of an account; limited_address: too many of a client address.',
      unit: 'opm',
      bound: 60,
      alert: 'LatchkeyWrongLogins',
      targets: [{ expr: perMinute('latchkey_logins_total', 'outcome', 'outcome!="ok"'), legend: '{{outcome}}' }]
    }),
    graph({
      title: 'Refresh tokens that should not be, in 15 minutes',
      says: 'theft: shown again after its time. ahead and forward: the database lost commits. Estimated, so not always whole numbers.',
      bound: 3.5,
      alert: 'LatchkeyTokenTheft',
      targets: [
        {
          expr: `sum by (verdict) (increase(latchkey_refreshes_total${of('verdict=~"theft|ahead|forward"')}[15m]))`,
          legend: '{{verdict}}'
        }
      ]
    }),
    graph({
      title: 'Refusals',
      says: 'What was not done, by the code of the problem, the ten most frequent. The README lists the codes.',
      unit: 'opm',
      targets: [{ expr: `topk(10, ${perMinute('latchkey_refusals_total', 'job, code')})`, legend: '{{job}} {{code}}' }]
    }),
    graph({
      title: 'Passwords refused, because too many wait',
      says: 'Each is a 503. Under an attack the queue is fair between addresses.',
      unit: 'opm',
      alert: 'LatchkeyPasswordsRefused',
      targets: [{ expr: perMinute('latchkey_password_jobs_refused_total', 'instance'), legend: '{{instance}}' }]
    }),
    graph({
      title: 'Access tokens at resource services',
      says: 'hit: remembered as good. verified: its signature was checked. refused: not good. unknown key: forged, or of a key that is not known yet.',
      unit: 'opm',
      alert: 'LatchkeyTokensRefused',
      targets: [
        { expr: perMinute('latchkey_verdicts_total', 'job, outcome'), legend: '{{job}} {{outcome}}' },
        { expr: perMinute('latchkey_jwks_unknown_kid_total', 'job'), legend: '{{job}} unknown key' }
      ]
    }),
    graph({
      title: 'Verdicts that are remembered',
      says: 'Tokens that need no new check of their signature.',
      targets: [{ expr: `latchkey_verdicts_held${of()}`, legend: '{{instance}}' }]
    }),
    graph({
      title: 'Where requests are counted',
      says: 'shared: in Redis, for all instances. own: in this one alone. 0 for both: no limit.',
      alert: 'LatchkeyRateLimitAlone',
      targets: [{ expr: `latchkey_rate_limit_store${of()}`, legend: '{{instance}} {{store}}' }]
    })
  ]
}
