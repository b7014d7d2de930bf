import { type Static, Type } from 'typebox'
import { AUDIT_EVENTS } from './audit-events.ts'
import { CHAT_EVENTS } from './chat-events.ts'
import type { Audited, Definition } from './definition.ts'
import {
  BY_ADMIN,
  CODE,
  ERROR,
  KIDS,
  KIND,
  OF_KEY,
  OF_SESSION,
  OF_USER,
  REFRESH,
  REFRESH_FROM,
  REFUSED
} from './fields.ts'
import { MAIL_EVENTS } from './mail-events.ts'
import { SIGNAL_EVENTS } from './signal-events.ts'

const SELF = { actor: 'user', target: 'user' } as const
const OWN_SESSION = { actor: 'user', target: 'session' } as const
const ADMIN = { actor: 'admin', target: 'user' } as const
const SHOWN = { actor: 'stranger', target: 'user', detail: ['shown', 'current'] } as const
const KEY = { actor: 'service', target: 'key', detail: ['kind'] } as const

/**
 * The closed list of events. A log line, and every other reader of events, has the name, level and fields of this list.
 * What has `audit` is also a record of the audit log, of what was done and of what was refused.
 */
export const EVENTS = {
  refused: { level: 'info', message: 'refused', fields: Type.Object(REFUSED), audit: { actor: 'stranger' } },
  failed: { level: 'error', message: 'failed', fields: Type.Object({ ...REFUSED, err: Type.Optional(ERROR) }) },
  refused_late: { level: 'info', message: 'refused after the answer', fields: Type.Object({ code: CODE }) },
  line_lost: { level: 'none', message: 'a line of the log could not be written', fields: Type.Object({}) },
  log_lost: {
    level: 'warn',
    message: 'lines of the log were lost',
    fields: Type.Object({ lost: Type.Integer({ description: 'The number of lines' }) })
  },

  signup: { level: 'info', message: 'signed up', fields: Type.Object(OF_USER), audit: SELF },
  username_changed: { level: 'info', message: 'renamed', fields: Type.Object(OF_SESSION), audit: SELF },
  password_changed: {
    level: 'info',
    message: 'password changed',
    fields: Type.Object({ ...OF_SESSION, opened: Type.String({ description: 'The session that it opened' }) }),
    audit: { ...SELF, detail: ['opened'] }
  },
  account_deleted: { level: 'info', message: 'account deleted', fields: Type.Object(BY_ADMIN), audit: SELF },

  user_invited: { level: 'info', message: 'invited', fields: Type.Object(BY_ADMIN), audit: ADMIN },
  roles_changed: {
    level: 'info',
    message: 'roles set',
    fields: Type.Object({ ...BY_ADMIN, roles: Type.Array(Type.String()) }),
    audit: { ...ADMIN, detail: ['roles'] }
  },
  user_disabled: { level: 'info', message: 'disabled', fields: Type.Object(BY_ADMIN), audit: ADMIN },
  user_enabled: { level: 'info', message: 'enabled', fields: Type.Object(BY_ADMIN), audit: ADMIN },
  sessions_ended: {
    level: 'info',
    message: 'all sessions of a user ended',
    fields: Type.Object(BY_ADMIN),
    audit: ADMIN
  },

  login: { level: 'info', message: 'logged in', fields: Type.Object(OF_SESSION), audit: OWN_SESSION },
  logout: { level: 'info', message: 'logged out', fields: Type.Object(OF_SESSION), audit: OWN_SESSION },
  logout_everywhere: { level: 'info', message: 'logged out everywhere', fields: Type.Object(OF_SESSION), audit: SELF },
  session_ended: { level: 'info', message: 'session ended', fields: Type.Object(BY_ADMIN), audit: OWN_SESSION },
  session_replaced: {
    level: 'info',
    message: 'session ended: its browser signed in again',
    fields: Type.Object(BY_ADMIN),
    audit: OWN_SESSION
  },
  session_evicted: {
    level: 'info',
    message: 'session ended: its user has opened too many',
    fields: Type.Object(BY_ADMIN),
    audit: OWN_SESSION
  },

  refresh: { level: 'info', message: 'refreshed', fields: Type.Object(REFRESH) },
  refresh_dead: { level: 'none', message: 'a token of an ended session was shown', fields: Type.Object({}) },
  refresh_converged: { level: 'info', message: 'refreshed again', fields: Type.Object(REFRESH) },
  refresh_converged_elsewhere: {
    level: 'warn',
    message: 'refreshed again, from elsewhere',
    fields: Type.Object(REFRESH_FROM),
    audit: SHOWN
  },
  refresh_reuse: {
    level: 'warn',
    message: 'a superseded token was shown: session ended',
    fields: Type.Object(REFRESH_FROM),
    audit: SHOWN
  },
  refresh_ahead: {
    level: 'error',
    message: 'the database has lost commits',
    fields: Type.Object(REFRESH_FROM),
    audit: SHOWN
  },

  password_worked: {
    level: 'none',
    message: 'a password was hashed or compared',
    fields: Type.Object({
      wait: Type.Number({ description: 'Seconds that it waited for a thread' }),
      work: Type.Number({ description: 'Seconds that the thread worked on it' })
    })
  },
  password_refused: {
    level: 'none',
    message: 'a password was refused: no thread would have been free in time',
    fields: Type.Object({})
  },

  email_verified: { level: 'info', message: 'address verified', fields: Type.Object(OF_USER), audit: SELF },
  email_change_asked: {
    level: 'info',
    message: 'another address wanted',
    fields: Type.Object(OF_SESSION),
    audit: SELF
  },
  email_changed: { level: 'info', message: 'address changed', fields: Type.Object(OF_SESSION), audit: SELF },
  password_reset_asked: {
    level: 'info',
    message: 'somebody asked for a new password: a mail is on its way',
    fields: Type.Object(OF_USER),
    audit: { actor: 'stranger', target: 'user' }
  },
  password_reset: { level: 'info', message: 'password reset by a code', fields: Type.Object(OF_USER), audit: SELF },

  ...MAIL_EVENTS,

  admin_command: {
    level: 'info',
    message: 'done by npm run admin',
    fields: Type.Object({
      command: Type.String(),
      accounts: Type.Optional(Type.Integer({ description: 'The number of accounts that it made or changed' }))
    }),
    audit: { actor: 'service', detail: ['command', 'accounts'] }
  },

  key_file: { level: 'warn', message: 'a key file needs a look', fields: Type.Object({}) },
  keys_refused: {
    level: 'error',
    message: 'the key folder cannot be used; the keys stay as they are',
    fields: Type.Object({ err: ERROR })
  },
  keys_changed: {
    level: 'info',
    message: 'the keys in force have changed',
    fields: Type.Object({
      kind: KIND,
      signing: Type.Union([Type.String(), Type.Null()]),
      accepted: KIDS,
      revoked: KIDS
    })
  },
  keys_gone: { level: 'error', message: 'no key is left that may sign', fields: Type.Object({ kind: KIND }) },
  key_added: { level: 'info', message: 'a key was found for the first time', fields: Type.Object(OF_KEY), audit: KEY },
  key_signs: { level: 'info', message: 'a key begins to sign', fields: Type.Object(OF_KEY), audit: KEY },
  key_revoked: { level: 'warn', message: 'a key was revoked', fields: Type.Object(OF_KEY), audit: KEY },

  feed_lost: {
    level: 'error',
    message: 'the database has lost a place in the revocation feed that was told: was a backup restored?',
    fields: Type.Object({ place: Type.String() })
  },

  ...AUDIT_EVENTS,

  ...SIGNAL_EVENTS,

  ...CHAT_EVENTS
} as const satisfies Record<string, Definition>

/** One of the names of {@link EVENTS}. */
export type EventName = keyof typeof EVENTS

/** The fields of an event. */
export type EventFields<N extends EventName> = Static<(typeof EVENTS)[N]['fields']>

/** The name of an event that the audit log keeps. */
export type AuditedName = {
  [N in EventName]: (typeof EVENTS)[N] extends { readonly audit: Audited } ? N : never
}[EventName]
