import type { KeySet, RevocationFeed, Verifier } from '@latchkey/verifier'
import type { Reader } from './open.ts'

/** What a service verifies tokens with. */
interface Verifying {
  readonly keys: Pick<KeySet, 'status' | 'counts'>
  readonly verifier: Pick<Verifier, 'counts'>
  readonly revocations?: Pick<RevocationFeed, 'status'> | undefined
}

const KEY_STATES = ['good', 'erring', 'empty'] as const
const FEED_STATES = ['starting', 'current', 'cut'] as const

/** Makes the reader of key set, verifier and revocation feed. */
export function verifierReader({ keys, verifier, revocations }: Verifying): Reader {
  return (set) => {
    const { state, goodAt } = keys.status()
    for (const one of KEY_STATES) set('latchkey_jwks_state', Number(one === state), { state: one })
    if (goodAt !== undefined) set('latchkey_jwks_last_success_timestamp_seconds', goodAt / 1000)
    const { fetched, failed, unknown } = keys.counts()
    set('latchkey_jwks_fetches_total', fetched, { outcome: 'ok' })
    set('latchkey_jwks_fetches_total', failed, { outcome: 'failed' })
    set('latchkey_jwks_unknown_kid_total', unknown)

    const { hits, verified, refused, held } = verifier.counts()
    set('latchkey_verdicts_total', hits, { outcome: 'hit' })
    set('latchkey_verdicts_total', verified, { outcome: 'verified' })
    set('latchkey_verdicts_total', refused, { outcome: 'refused' })
    set('latchkey_verdicts_held', held)

    const feed = revocations?.status()
    for (const one of FEED_STATES) set('latchkey_feed_state', Number(one === feed?.state), { state: one })
    if (!feed) return
    if (feed.age !== undefined) set('latchkey_feed_age_seconds', feed.age)
    if (feed.lagP50 !== undefined) set('latchkey_feed_lag_seconds', feed.lagP50, { quantile: '0.5' })
    if (feed.lagP99 !== undefined) set('latchkey_feed_lag_seconds', feed.lagP99, { quantile: '0.99' })
    set('latchkey_feed_entries', feed.entries)
    set('latchkey_feed_received_total', feed.received)
  }
}
