import { graph, table } from '../panels.mjs'
import { of, perMinute, since } from '../queries.mjs'

/** Do keys and the feed move? */
export const keys = {
  title: 'Do keys and the feed move?',
  panels: [
    table({
      title: 'Keys',
      says: 'Each key of the folder, by instance: kind, slot, and whether it signs, is accepted, retired or revoked.',
      alert: 'LatchkeyNoNextKey',
      targets: [{ expr: `latchkey_signing_key_info${of()}` }]
    }),
    graph({
      title: 'Days of each key',
      says: 'Since it began to sign, and since it was first seen. Rotate once or twice a year.',
      unit: 'd',
      width: 12,
      bound: 400,
      alert: 'LatchkeyKeyOld',
      targets: [
        {
          expr: `max by (kind, kid) (${since('latchkey_signing_key_signs_from_timestamp_seconds')}) / 86400`,
          legend: '{{kind}} {{kid}} signs'
        },
        {
          expr: `max by (kind, kid) (${since('latchkey_signing_key_first_seen_timestamp_seconds')}) / 86400`,
          legend: '{{kind}} {{kid}} is known'
        }
      ]
    }),
    graph({
      title: 'A key signs',
      says: '1 if a key of the kind signs on the instance, 0 if none does.',
      alert: 'LatchkeyNoKeySigns',
      targets: [{ expr: `latchkey_keys_signing${of()}`, legend: '{{instance}} {{kind}}' }]
    }),
    graph({
      title: 'Faults of the key folder',
      says: 'Faults, each when it begins.',
      unit: 'opm',
      targets: [{ expr: perMinute('latchkey_key_folder_errors_total', 'instance'), legend: '{{instance}}' }]
    }),
    graph({
      title: 'Since the key folder was good',
      says: 'More than a few seconds: it cannot be used, or the instance is stuck.',
      unit: 's',
      bound: 60,
      alert: 'LatchkeyKeyFolderRefused',
      targets: [{ expr: since('latchkey_key_folder_last_read_timestamp_seconds'), legend: '{{instance}}' }]
    }),
    graph({
      title: 'State of the key set',
      says: '1 for the state of each resource service: good, erring (it goes on with an older set), empty (503 to all).',
      alert: 'LatchkeyKeySetEmpty',
      targets: [{ expr: `latchkey_jwks_state${of()} == 1`, legend: '{{instance}} {{state}}' }]
    }),
    graph({
      title: 'Age of the key set',
      says: 'Since it was fetched. It is fetched every JWKS_MAX_AGE, 10 minutes by default.',
      unit: 's',
      bound: 1800,
      alert: 'LatchkeyKeySetOld',
      targets: [{ expr: since('latchkey_jwks_last_success_timestamp_seconds'), legend: '{{instance}}' }]
    }),
    graph({
      title: 'Fetches of the key set',
      says: 'By outcome.',
      unit: 'opm',
      targets: [{ expr: perMinute('latchkey_jwks_fetches_total', 'job, outcome'), legend: '{{job}} {{outcome}}' }]
    }),
    graph({
      title: 'State of the feed',
      says: '1 for the state of each service that reads it: starting, current, cut (FEED_WHEN_CUT decides).',
      alert: 'LatchkeyFeedCut',
      targets: [{ expr: `latchkey_feed_state${of()} == 1`, legend: '{{instance}} {{state}}' }]
    }),
    graph({
      title: 'Age of what the feed told',
      says: 'How old the knowledge of revocations is. After FEED_BOUND, 60 s by default, the feed counts as cut.',
      unit: 's',
      alert: 'LatchkeyFeedCut',
      targets: [{ expr: `latchkey_feed_age_seconds${of()}`, legend: '{{instance}}' }]
    }),
    graph({
      title: 'How long revocations take',
      says: 'Half, and all but a hundredth, of the last 1,000 answers took at most so long, if both clocks are right.',
      unit: 's',
      bound: 5,
      alert: 'LatchkeyFeedSlow',
      targets: [{ expr: `latchkey_feed_lag_seconds${of()}`, legend: '{{instance}} p{{quantile}}' }]
    }),
    graph({
      title: 'Revocations that came',
      says: 'How many a minute, by service.',
      unit: 'opm',
      targets: [{ expr: perMinute('latchkey_feed_received_total', 'instance'), legend: '{{instance}}' }]
    }),
    graph({
      title: 'Revocations that are known',
      says: 'They are forgotten when every token that they concern has expired.',
      targets: [{ expr: `latchkey_feed_entries${of()}`, legend: '{{instance}}' }]
    }),
    graph({
      title: 'Questions that wait in the feed',
      says: 'One for each service that reads it, at the instance of auth that it asks.',
      targets: [{ expr: `latchkey_feed_questions_waiting${of()}`, legend: '{{instance}}' }]
    })
  ]
}
