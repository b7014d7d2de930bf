import { number, table } from '../panels.mjs'
import { OURS, of, perMinute, quantile, REFRESH, SHARE_OF_ERRORS } from '../queries.mjs'

const YES_NO = { 0: 'no', 1: 'yes' }

/** One number a question. */
export const glance = {
  title: 'At a glance',
  panels: [
    number({
      title: 'Alerts that fire',
      says: 'Each has a section in docs/operations.md. Those that are about to fire are in the table below.',
      targets: [{ expr: 'count(ALERTS{alertname=~"Latchkey.+", alertstate="firing"}) or vector(0)' }],
      bound: 1
    }),
    number({
      title: 'Instances that do not answer',
      says: 'Those whose management port Prometheus could not read at the last scrape.',
      targets: [{ expr: `count(up${of(OURS)} == 0) or vector(0)` }],
      bound: 1,
      alert: 'LatchkeyInstanceDown'
    }),
    number({
      title: 'Logins a minute',
      says: 'Those that opened a session.',
      unit: 'opm',
      targets: [{ expr: `60 * sum(rate(latchkey_logins_total${of('outcome="ok"')}[$__rate_interval]))` }]
    }),
    number({
      title: 'Share of 5xx, worst service',
      says: 'Answers that failed through no fault of the client.',
      unit: 'percentunit',
      targets: [{ expr: `max(${SHARE_OF_ERRORS})` }],
      bound: 0.02,
      alert: 'LatchkeyServerErrors'
    }),
    number({
      title: 'Refresh, p99',
      says: 'One refresh in a hundred takes at least so long.',
      unit: 's',
      targets: [{ expr: quantile(0.99, 'http_server_request_duration_seconds', '', REFRESH) }],
      bound: 1,
      alert: 'LatchkeyRefreshSlow'
    }),
    number({
      title: 'Wrong logins a minute',
      says: 'Wrong passwords and unknown addresses. The alert also wants them to be three times as many as the right ones.',
      unit: 'opm',
      targets: [
        {
          expr: `sum(${perMinute('latchkey_logins_total', 'outcome', 'outcome=~"wrong|limited_account|limited_address"')})`
        }
      ],
      bound: 60,
      alert: 'LatchkeyWrongLogins'
    }),
    number({
      title: 'Both kinds of keys sign',
      says: 'Without a signing key of each kind nobody can log in or refresh.',
      targets: [{ expr: `1 - min(latchkey_keys_signing${of()})` }],
      words: { 0: 'yes', 1: 'no' },
      bound: 1,
      alert: 'LatchkeyNoKeySigns'
    }),
    number({
      title: 'Key set, oldest',
      says: 'How long ago the resource service that is worst off fetched the key set.',
      unit: 's',
      targets: [{ expr: `time() - min(latchkey_jwks_last_success_timestamp_seconds${of()})` }],
      bound: 1800,
      alert: 'LatchkeyKeySetOld'
    }),
    number({
      title: 'Feed is current everywhere',
      says: 'Whether each service that reads the revocation feed knows what was revoked.',
      targets: [{ expr: `max(latchkey_feed_state${of('state=~"starting|cut"')})` }],
      words: { 0: 'yes', 1: 'no' },
      bound: 1,
      alert: 'LatchkeyFeedCut'
    }),
    number({
      title: 'Oldest mail',
      says: 'Age of the oldest mail that is not sent yet.',
      unit: 's',
      targets: [{ expr: `max(latchkey_mail_oldest_seconds${of()})` }],
      bound: 600,
      alert: 'LatchkeyMailLate'
    }),
    number({
      title: 'A database is away',
      says: 'Whether an instance did not reach its database at the last scrape.',
      targets: [{ expr: `1 - min(latchkey_database_up${of()})` }],
      words: YES_NO,
      bound: 1,
      alert: 'LatchkeyDatabaseDown'
    }),
    number({
      title: 'Sockets now',
      says: 'WebSockets of the chat, of both protocols.',
      targets: [{ expr: `sum(latchkey_sockets${of()})` }]
    }),
    table({
      title: 'Alerts',
      says: 'Alerts that fire, and those that are pending: they fire if it stays so.',
      targets: [{ expr: 'ALERTS{alertname=~"Latchkey.+"}' }],
      width: 24
    })
  ]
}
