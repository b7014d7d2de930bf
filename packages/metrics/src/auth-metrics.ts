import type { Metric } from './definition.ts'

/** The outcomes that every request with a password has beside its own. */
const REFUSED = ['limited_account', 'limited_address', 'invalid', 'unavailable', 'failed'] as const

const KIND = ['access', 'refresh'] as const
const QUEUE = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3] as const

/** What the auth service says of accounts, sessions, passwords and keys. */
export const AUTH_METRICS = {
  latchkey_logins_total: {
    type: 'counter',
    help: 'Logins at /login and /signin.',
    labels: { outcome: ['ok', 'wrong', 'unverified', 'disabled', ...REFUSED] }
  },
  latchkey_signups_total: {
    type: 'counter',
    help: 'Sign-ups.',
    labels: { outcome: ['ok', 'taken', 'closed', ...REFUSED] }
  },
  latchkey_password_changes_total: {
    type: 'counter',
    help: 'Changes of a password by its user.',
    labels: { outcome: ['ok', 'wrong', ...REFUSED] }
  },
  latchkey_password_resets_total: {
    type: 'counter',
    help: 'Resets of a password by a code from a mail.',
    labels: { outcome: ['ok', 'wrong', ...REFUSED] }
  },
  latchkey_refreshes_total: {
    type: 'counter',
    help: 'Verdicts on genuine refresh tokens; ARCHITECTURE.md has their table.',
    labels: { verdict: ['next', 'same', 'again', 'early', 'forward', 'dead', 'ahead', 'theft'] }
  },
  latchkey_sessions_ended_total: {
    type: 'counter',
    help: 'Ends of sessions; what ends all sessions of a user counts once.',
    labels: {
      reason: [
        'logout',
        'logout_everywhere',
        'ended',
        'replaced',
        'evicted',
        'theft',
        'password_changed',
        'password_reset',
        'disabled',
        'deleted',
        'admin'
      ]
    }
  },
  latchkey_password_threads: { type: 'gauge', help: 'Threads that hash passwords.' },
  latchkey_password_engine_info: {
    type: 'gauge',
    help: '1 for the bcrypt that hashes passwords.',
    labels: { engine: ['native', 'bcryptjs'] }
  },
  latchkey_password_jobs: {
    type: 'gauge',
    help: 'Passwords that are hashed now, and that wait for a thread.',
    labels: { state: ['running', 'waiting'] }
  },
  latchkey_password_jobs_refused_total: {
    type: 'counter',
    help: 'Passwords that were refused with 503, because they would have waited too long or the queue was full.'
  },
  latchkey_password_wait_seconds: {
    type: 'histogram',
    help: 'Time that a password waited for a thread.',
    buckets: QUEUE
  },
  latchkey_password_work_seconds: {
    type: 'histogram',
    help: 'Time that a thread worked on a password.',
    buckets: QUEUE
  },
  latchkey_signing_key_info: {
    type: 'gauge',
    help: 'Always 1: a key of the folder. state is signs, accepted, retired or revoked.',
    labels: { kind: KIND, kid: 'open', slot: 'open', state: ['signs', 'accepted', 'retired', 'revoked'] }
  },
  latchkey_signing_key_first_seen_timestamp_seconds: {
    type: 'gauge',
    help: 'When the key was first seen by any instance; KEY_LEAD later it may sign.',
    labels: { kind: KIND, kid: 'open' }
  },
  latchkey_signing_key_signs_from_timestamp_seconds: {
    type: 'gauge',
    help: 'When the key last began to sign.',
    labels: { kind: KIND, kid: 'open' }
  },
  latchkey_keys_signing: {
    type: 'gauge',
    help: 'Whether a key of this kind signs: 1 or 0. Without one nobody can log in.',
    labels: { kind: KIND }
  },
  latchkey_key_folder_errors_total: { type: 'counter', help: 'Readings of the key folder that could not be used.' },
  latchkey_key_folder_last_read_timestamp_seconds: { type: 'gauge', help: 'When the key folder was last read.' },
  latchkey_rate_limit_store: {
    type: 'gauge',
    help: '1 for where requests are counted now: in Redis for all instances, or in this one. 0 for both without a limit.',
    labels: { store: ['shared', 'own'] }
  },
  latchkey_feed_questions_waiting: { type: 'gauge', help: 'Questions that wait in the revocation feed.' },
  latchkey_mail_outbox: { type: 'gauge', help: 'Mails that are not sent yet; counted up to 10,000.' },
  latchkey_mail_oldest_seconds: { type: 'gauge', help: 'Age of the oldest of them; 0 without any.' },
  latchkey_mail_paused: {
    type: 'gauge',
    help: 'Whether this instance waits, because the mail server cannot be used: 1 or 0.'
  },
  latchkey_mails_total: {
    type: 'counter',
    help: 'What became of mails. One that is tried again counts each time.',
    labels: { outcome: ['sent', 'retry', 'refused', 'dropped', 'late'] }
  },
  latchkey_signals_total: {
    type: 'counter',
    help: 'What became of Security Event Tokens. One that is sent again counts each time.',
    labels: { outcome: ['accepted', 'retry', 'refused', 'given_up', 'lost'] }
  }
} as const satisfies Record<string, Metric>
