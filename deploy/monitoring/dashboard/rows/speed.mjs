import { graph } from '../panels.mjs'
import { OURS, of, perMinute, quantile, quantiles, REFRESH } from '../queries.mjs'

const DURATION = 'http_server_request_duration_seconds'

/** Is it slow? */
export const speed = {
  title: 'Is it slow?',
  panels: [
    graph({
      title: 'A login takes',
      says: 'Most of it is the hash of the password, and the wait for a thread.',
      unit: 's',
      targets: quantiles(DURATION, 'job="latchkey-auth", http_route=~"/login|/signin"')
    }),
    graph({
      title: 'A refresh takes',
      says: 'Two statements and a signature.',
      unit: 's',
      bound: 1,
      alert: 'LatchkeyRefreshSlow',
      targets: quantiles(DURATION, REFRESH)
    }),
    graph({
      title: 'The slowest routes, p95',
      says: 'One request in twenty takes at least so long.',
      unit: 's',
      targets: [
        { expr: `topk(8, ${quantile(0.95, DURATION, 'job, http_route', OURS)})`, legend: '{{job}} {{http_route}}' }
      ]
    }),
    graph({
      title: 'Passwords wait and are hashed, p95',
      says: 'The wait for a thread, and the work of the thread. After PASSWORD_TIMEOUT a waiting one is refused with 503.',
      unit: 's',
      bound: 1.5,
      alert: 'LatchkeyPasswordsWait',
      targets: [
        { expr: quantile(0.95, 'latchkey_password_wait_seconds', 'instance'), legend: 'wait {{instance}}' },
        { expr: quantile(0.95, 'latchkey_password_work_seconds', 'instance'), legend: 'work {{instance}}' }
      ]
    }),
    graph({
      title: 'Passwords in work',
      says: 'How many are hashed and wait, beside the number of threads.',
      targets: [
        { expr: `sum by (state) (latchkey_password_jobs${of()})`, legend: '{{state}}' },
        { expr: `sum(latchkey_password_threads${of()})`, legend: 'threads' }
      ]
    }),
    graph({
      title: 'The busiest routes',
      says: 'Requests of the eight routes with the most.',
      unit: 'opm',
      targets: [
        {
          expr: `topk(8, ${perMinute(`${DURATION}_count`, 'job, http_route', OURS)})`,
          legend: '{{job}} {{http_route}}'
        }
      ]
    })
  ]
}
