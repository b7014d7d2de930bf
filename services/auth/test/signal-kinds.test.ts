import { EVENTS } from '@latchkey/events/events'
import t from 'tap'
import { SIGNALLED, signalsOf } from '../src/signals/kinds.ts'
import type { LoggedRecord } from '../src/signals/record.ts'

const [USER, OTHER, SESSION, STREAM] = ['u', 'a', 's', 'w']

const record = (event: string, more: Partial<LoggedRecord> = {}): LoggedRecord => ({
  seq: 7,
  id: 'r',
  at: '2026-01-31T12:00:00.900Z',
  event,
  outcome: 'done',
  actor_kind: 'user',
  actor_id: USER,
  session_id: SESSION,
  target_kind: 'user',
  target_id: USER,
  request_id: null,
  detail: {},
  hash: Buffer.alloc(32),
  ...more
})

const ofSession = { target_kind: 'session', target_id: SESSION }
const byAdmin = { actor_kind: 'admin', actor_id: OTHER, session_id: 'another' } as const
const byOperator = { actor_kind: 'operator', actor_id: null, session_id: null } as const

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type'
const one = { user: USER, session: SESSION }
const all = { user: USER }

const revoked = (subject: object, initiating_entity: string, en: string) => ({
  subject,
  type: `${CAEP}/session-revoked`,
  event: { event_timestamp: 1769860800, initiating_entity, reason_admin: { en } }
})
const changed = (initiating_entity: string) => ({
  subject: all,
  type: `${CAEP}/credential-change`,
  event: { credential_type: 'password', change_type: 'update', event_timestamp: 1769860800, initiating_entity }
})
const account = (type: string) => ({ subject: all, type: `${RISC}/${type}`, event: {} })

const TABLE: [what: string, record: LoggedRecord, signals: object[]][] = [
  ['a logout', record('logout', ofSession), [revoked(one, 'user', 'The user logged out.')]],
  [
    'another session of the user',
    record('session_ended', { ...ofSession, session_id: 'another' }),
    [revoked(one, 'user', 'The user ended this session.')]
  ],
  [
    'a browser that signs in again',
    record('session_replaced', { ...ofSession, session_id: 'another' }),
    [revoked(one, 'user', 'The user signed in again in the same browser.')]
  ],
  [
    'too many sessions',
    record('session_evicted', { ...ofSession, session_id: 'another' }),
    [revoked(one, 'user', 'The user opened more sessions than they may have.')]
  ],
  [
    'a stolen token',
    record('refresh_reuse', { actor_kind: 'stranger', actor_id: null }),
    [revoked(one, 'policy', 'A refresh token was used twice: it may be stolen.')]
  ],
  ['a logout everywhere', record('logout_everywhere'), [revoked(all, 'user', 'The user logged out everywhere.')]],
  [
    'an administrator who ends all sessions',
    record('sessions_ended', byAdmin),
    [revoked(all, 'admin', 'An administrator ended all sessions of the user.')]
  ],
  [
    'the command line that ends all sessions',
    record('sessions_ended', byOperator),
    [revoked(all, 'admin', 'An administrator ended all sessions of the user.')]
  ],
  [
    'another password',
    record('password_changed', { detail: { opened: 'x' } }),
    [revoked(all, 'user', 'The user changed their password.'), changed('user')]
  ],
  [
    'a password by a mailed code',
    record('password_reset', { session_id: null }),
    [revoked(all, 'user', 'The password was reset.'), changed('user')]
  ],
  [
    'a disabled user',
    record('user_disabled', byAdmin),
    [revoked(all, 'admin', 'The account was disabled.'), account('account-disabled')]
  ],
  ['an enabled user', record('user_enabled', byAdmin), [account('account-enabled')]],
  [
    'a deleted account',
    record('account_deleted'),
    [revoked(all, 'user', 'The account was deleted.'), account('account-purged')]
  ],
  [
    'a verification of this stream',
    record('stream_verification', { ...byOperator, target_kind: 'stream', target_id: STREAM, detail: { state: 'x1' } }),
    [
      {
        subject: { stream: STREAM },
        type: 'https://schemas.openid.net/secevent/ssf/event-type/verification',
        event: { state: 'x1' }
      }
    ]
  ],
  [
    'a verification of another stream',
    record('stream_verification', { ...byOperator, target_kind: 'stream', target_id: 'v', detail: { state: 'x1' } }),
    []
  ],
  [
    'the end of all sessions of everybody',
    record('admin_command', {
      ...byOperator,
      target_kind: null,
      target_id: null,
      detail: { command: 'end-all-sessions' }
    }),
    [revoked({ everybody: true }, 'admin', 'The sessions of all users were ended.')]
  ],
  ['another command', record('admin_command', { ...byOperator, detail: { command: 'import', accounts: 3 } }), []],
  ['a refused logout', record('logout', { ...ofSession, outcome: 'refused' }), []],
  ['a login', record('login', ofSession), []],
  ['a record without a user', record('user_disabled', { target_kind: null, target_id: null }), []],
  ['a session of nobody', record('logout', { ...ofSession, actor_id: null }), []],
  ['an event that this version does not know', record('constructor'), []]
]

t.test('each record becomes these events, in this order', async (t) => {
  for (const [what, one, signals] of TABLE) t.strictSame(signalsOf(one, STREAM), signals, what)
  const covered = new Set(TABLE.map(([, { event }]) => event))
  t.strictSame(
    SIGNALLED.filter((event) => !covered.has(event)),
    [],
    'none was forgotten'
  )
})

t.test('only audited events become SETs', async (t) => {
  for (const event of SIGNALLED) t.ok('audit' in EVENTS[event as keyof typeof EVENTS], event)
})
