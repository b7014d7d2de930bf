import { graph } from '../panels.mjs'
import { OURS, of, perMinute, SHARE_OF_ERRORS } from '../queries.mjs'

const refused = (/** @type {string} */ more) =>
  `sum by (job) (rate(latchkey_verdicts_total${of(more)}[$__rate_interval]))`

/** Are people getting in? */
export const gettingIn = {
  title: 'Are people getting in?',
  panels: [
    graph({
      title: 'Logins',
      says: 'ok is who got in. wrong is a wrong password or an unknown address; limited_… are limits; unavailable and failed are our fault.',
      unit: 'opm',
      stacked: true,
      width: 12,
      targets: [{ expr: perMinute('latchkey_logins_total', 'outcome'), legend: '{{outcome}}' }]
    }),
    graph({
      title: 'Refreshes',
      says: 'next, same and again are ordinary. dead is a session that has ended. theft, ahead and forward should not be: docs/operations.md.',
      unit: 'opm',
      stacked: true,
      width: 12,
      targets: [{ expr: perMinute('latchkey_refreshes_total', 'verdict'), legend: '{{verdict}}' }]
    }),
    graph({
      title: 'Sign-ups and passwords',
      says: 'Sign-ups, changes of a password, and resets by a code from a mail.',
      unit: 'opm',
      targets: [
        { expr: perMinute('latchkey_signups_total', 'outcome'), legend: 'sign-up {{outcome}}' },
        { expr: perMinute('latchkey_password_changes_total', 'outcome'), legend: 'change {{outcome}}' },
        { expr: perMinute('latchkey_password_resets_total', 'outcome'), legend: 'reset {{outcome}}' }
      ]
    }),
    graph({
      title: 'Ends of sessions',
      says: 'Why sessions ended. What ends all sessions of a user counts once.',
      unit: 'opm',
      stacked: true,
      targets: [{ expr: perMinute('latchkey_sessions_ended_total', 'reason'), legend: '{{reason}}' }]
    }),
    graph({
      title: 'Answers',
      says: 'Of all routes but /healthz, /readyz and questions that wait in the revocation feed.',
      unit: 'opm',
      targets: [
        {
          expr: perMinute('http_server_request_duration_seconds_count', 'job, status_class', OURS),
          legend: '{{job}} {{status_class}}'
        }
      ]
    }),
    graph({
      title: 'Share of 5xx',
      says: 'Of all answers of a service. The routes are in "Errors by route".',
      unit: 'percentunit',
      bound: 0.02,
      alert: 'LatchkeyServerErrors',
      targets: [{ expr: SHARE_OF_ERRORS, legend: '{{job}}' }]
    }),
    graph({
      title: 'Errors by route',
      says: 'Answers with 4xx and 5xx, the ten routes with the most.',
      unit: 'opm',
      targets: [
        {
          expr: `topk(10, ${perMinute('http_server_request_duration_seconds_count', 'job, http_route, status_class', `${OURS}, status_class=~"4xx|5xx"`)})`,
          legend: '{{job}} {{http_route}} {{status_class}}'
        }
      ]
    }),
    graph({
      title: 'Share of access tokens that are refused',
      says: 'Of those that resource services were shown. Expired ones count: some are ordinary.',
      unit: 'percentunit',
      bound: 0.5,
      alert: 'LatchkeyTokensRefused',
      targets: [{ expr: `${refused('outcome="refused"')} / ${refused('')}`, legend: '{{job}}' }]
    })
  ]
}
