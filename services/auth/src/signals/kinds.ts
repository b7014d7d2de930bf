import type { LoggedRecord } from './record.ts'

/** The `events` of a SET that a record of the audit log becomes, and its subject. */
export interface Signal {
  /** The URI of the type of the event. */
  readonly type: string
  readonly event: Readonly<Record<string, unknown>>
  readonly subject: Subject
}

/**
 * Whom a SET is about: a user, one session of a user, all users, or the stream itself. In a SET a user is a subject
 * identifier of the format `iss_sub` (RFC 9493 §3.2.4).
 */
export type Subject =
  | { readonly user: string }
  | { readonly user: string; readonly session: string }
  | { readonly everybody: true }
  | { readonly stream: string }

const EVENT_TYPES = 'https://schemas.openid.net/secevent'

/** The types of events that are sent (CAEP 1.0 §3.1 and §3.3, RISC 1.0 §2, SSF 1.0 §8.1.4). */
export const TYPES = {
  sessionRevoked: `${EVENT_TYPES}/caep/event-type/session-revoked`,
  credentialChange: `${EVENT_TYPES}/caep/event-type/credential-change`,
  accountDisabled: `${EVENT_TYPES}/risc/event-type/account-disabled`,
  accountEnabled: `${EVENT_TYPES}/risc/event-type/account-enabled`,
  accountPurged: `${EVENT_TYPES}/risc/event-type/account-purged`,
  verification: `${EVENT_TYPES}/ssf/event-type/verification`
} as const

type Maker = (record: LoggedRecord) => (Signal | undefined)[]

const ONE_SESSION: Maker = (record) => [sessionRevoked(record, sessionOf(record))]
const ALL_SESSIONS: Maker = (record) => [sessionRevoked(record, userOf(record))]
// What ends all sessions and says more is two SETs: a SET has one event (SSF 1.0 §5).
const andSessions = (more: Maker): Maker => {
  return (record) => [...ALL_SESSIONS(record), ...more(record)]
}
const account =
  (type: string): Maker =>
  (record) => [about(userOf(record), type, {})]

const MAKERS: Readonly<Record<string, Maker>> = {
  logout: ONE_SESSION,
  session_ended: ONE_SESSION,
  session_replaced: ONE_SESSION,
  session_evicted: ONE_SESSION,
  refresh_reuse: ONE_SESSION,
  logout_everywhere: ALL_SESSIONS,
  sessions_ended: ALL_SESSIONS,
  password_changed: andSessions((record) => [credentialChanged(record)]),
  password_reset: andSessions((record) => [credentialChanged(record)]),
  user_disabled: andSessions(account(TYPES.accountDisabled)),
  user_enabled: account(TYPES.accountEnabled),
  account_deleted: andSessions(account(TYPES.accountPurged)),
  admin_command: (record) =>
    ENDS_EVERYBODY.includes(String(record.detail['command'])) ? [sessionRevoked(record, { everybody: true })] : [],
  stream_verification: ({ target_id: stream, detail: { state } }) => [
    stream === null ? undefined : { subject: { stream }, type: TYPES.verification, event: { state } }
  ]
}

/** The commands that end the sessions of all users. Each batch of theirs is a record, so such a SET can come more than once. */
const ENDS_EVERYBODY: readonly string[] = ['end-all-sessions', 'revoke-everything']

/** The events of the audit log that become SETs. */
export const SIGNALLED: readonly string[] = Object.keys(MAKERS)

/**
 * What a record becomes for one stream, in this order; nothing for most records. What is about another stream is nothing
 * too, and so is a record that names no user, as only the owner of the database can write it.
 */
export function signalsOf(record: LoggedRecord, stream: string): Signal[] {
  if (record.outcome !== 'done') return []
  const make = Object.hasOwn(MAKERS, record.event) ? MAKERS[record.event] : undefined
  const made = make?.(record) ?? []
  return made.filter(
    (signal): signal is Signal =>
      signal !== undefined && !('stream' in signal.subject && signal.subject.stream !== stream)
  )
}

function userOf({ target_kind, target_id }: LoggedRecord): Subject | undefined {
  return target_kind === 'user' && target_id !== null ? { user: target_id } : undefined
}

// Of a session its user ends; of one whose token was stolen, the record aims at its user.
function sessionOf({ target_kind, target_id, actor_id, session_id }: LoggedRecord): Subject | undefined {
  const [user, session] = target_kind === 'session' ? [actor_id, target_id] : [target_id, session_id]
  return user === null || session === null ? undefined : { user, session }
}

function about(subject: Subject | undefined, type: string, event: Signal['event']): Signal | undefined {
  return subject && { subject, type, event }
}

function sessionRevoked(record: LoggedRecord, subject: Subject | undefined): Signal | undefined {
  return about(subject, TYPES.sessionRevoked, { ...causeOf(record), reason_admin: { en: reasonOf(record) } })
}

function credentialChanged(record: LoggedRecord): Signal | undefined {
  const change = { credential_type: 'password', change_type: 'update' }
  return about(userOf(record), TYPES.credentialChange, { ...change, ...causeOf(record) })
}

const INITIATORS: Readonly<Record<string, string>> = {
  user: 'user',
  admin: 'admin',
  operator: 'admin',
  stranger: 'policy'
}

// The claims that all events of CAEP may have (CAEP 1.0 §2).
function causeOf({ at, actor_kind }: LoggedRecord) {
  return { event_timestamp: secondsOf(at), initiating_entity: INITIATORS[actor_kind] ?? 'system' }
}

/** A time of the audit log in whole seconds since 1970. */
export function secondsOf(at: string): number {
  return Math.floor(Date.parse(at) / 1000)
}

const REASONS: Readonly<Record<string, string>> = {
  logout: 'The user logged out.',
  session_ended: 'The user ended this session.',
  session_replaced: 'The user signed in again in the same browser.',
  session_evicted: 'The user opened more sessions than they may have.',
  refresh_reuse: 'A refresh token was used twice: it may be stolen.',
  logout_everywhere: 'The user logged out everywhere.',
  sessions_ended: 'An administrator ended all sessions of the user.',
  password_changed: 'The user changed their password.',
  password_reset: 'The password was reset.',
  user_disabled: 'The account was disabled.',
  account_deleted: 'The account was deleted.',
  admin_command: 'The sessions of all users were ended.'
}

function reasonOf({ event }: LoggedRecord): string {
  return REASONS[event] ?? event
}
