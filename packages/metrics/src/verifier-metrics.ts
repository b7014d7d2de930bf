import type { Metric } from './definition.ts'

/** What a service says of the tokens that it verifies. */
export const VERIFIER_METRICS = {
  latchkey_jwks_state: {
    type: 'gauge',
    help: '1 for the state of the key set: good, erring (an older one is used), empty.',
    labels: { state: ['good', 'erring', 'empty'] }
  },
  latchkey_jwks_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the key set was last fetched, or known from a file; missing before.'
  },
  latchkey_jwks_fetches_total: {
    type: 'counter',
    help: 'Fetches of the key set.',
    labels: { outcome: ['ok', 'failed'] }
  },
  latchkey_jwks_unknown_kid_total: { type: 'counter', help: 'Tokens whose key was not in the set that was held.' },
  latchkey_verdicts_total: {
    type: 'counter',
    help: 'Tokens that were shown: remembered as good, verified, or refused.',
    labels: { outcome: ['hit', 'verified', 'refused'] }
  },
  latchkey_verdicts_held: { type: 'gauge', help: 'Verdicts that are remembered.' },
  latchkey_feed_state: {
    type: 'gauge',
    help: '1 for the state of the revocation feed; 0 for all without a feed.',
    labels: { state: ['starting', 'current', 'cut'] }
  },
  latchkey_feed_age_seconds: {
    type: 'gauge',
    help: 'How old the knowledge of revocations is; missing before the first answer.'
  },
  latchkey_feed_lag_seconds: {
    type: 'gauge',
    help: 'How long revocations took to come here, of the last 1,000 answers with any.',
    labels: { quantile: ['0.5', '0.99'] }
  },
  latchkey_feed_entries: { type: 'gauge', help: 'Revocations that are known.' },
  latchkey_feed_received_total: {
    type: 'counter',
    help: 'Revocations that came since the start, also again or not believed.'
  }
} as const satisfies Record<string, Metric>
