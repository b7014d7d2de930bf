import { type Static, type TObject, Type } from 'typebox'

const USER = Type.String({ description: 'The id of the user whom it concerns' })
const SESSION = Type.String({ description: 'The session that it concerns, or in which somebody acted' })
const BY = Type.String({
  description: 'Who did it, where that is somebody else: an administrator, or another session'
})
const CODE = Type.String({ description: 'A code of packages/problems' })
const ERROR = Type.Unsafe<unknown>({ description: 'The error behind it' })

const REFRESH = {
  user: USER,
  session: SESSION,
  shown: Type.Integer({ description: 'The generation of the token that was shown' }),
  current: Type.Integer({ description: 'The generation that is current afterwards' })
}
const REFRESH_FROM = {
  ...REFRESH,
  ip: Type.String(),
  user_agent: Type.Union([Type.String(), Type.Null()])
}
const BY_ADMIN = { user: USER, by: BY, session: SESSION }
const MAIL = {
  mail: Type.String({ description: 'The id of the mail, which its Message-ID begins with' }),
  purpose: Type.String({ description: 'What the mail is for' }),
  user: Type.Optional(USER),
  attempts: Type.Integer({ description: 'How often it was tried, with this time' }),
  age: Type.Integer({ description: 'Seconds since it was asked for' })
}
const CODES = Type.String({ description: 'Codes of the mail library and the mail server' })
const KIND = Type.String({ description: 'access or refresh' })
const KIDS = Type.Array(Type.String())

interface Definition {
  readonly level: 'info' | 'warn' | 'error'
  /** The text for people. */
  readonly message: string
  readonly fields: TObject
}

/**
 * The closed list of events. A log line, and every other reader of events, has the name, level and fields of this list.
 */
export const EVENTS = {
  refused: { level: 'info', message: 'refused', fields: Type.Object({ code: CODE }) },
  failed: { level: 'error', message: 'failed', fields: Type.Object({ code: CODE, err: Type.Optional(ERROR) }) },
  refused_late: { level: 'info', message: 'refused after the answer', fields: Type.Object({ code: CODE }) },
  log_lost: {
    level: 'warn',
    message: 'lines of the log were lost',
    fields: Type.Object({ lost: Type.Integer({ description: 'The number of lines' }) })
  },

  signup: { level: 'info', message: 'signed up', fields: Type.Object({ user: USER }) },
  username_changed: { level: 'info', message: 'renamed', fields: Type.Object({ user: USER }) },
  password_changed: {
    level: 'info',
    message: 'password changed',
    fields: Type.Object({ user: USER, session: SESSION })
  },
  account_deleted: {
    level: 'info',
    message: 'account deleted',
    fields: Type.Object({ user: USER, session: SESSION, by: Type.Optional(BY) })
  },

  user_invited: { level: 'info', message: 'invited by an administrator', fields: Type.Object(BY_ADMIN) },
  roles_changed: {
    level: 'info',
    message: 'roles set by an administrator',
    fields: Type.Object({ ...BY_ADMIN, roles: Type.Array(Type.String()) })
  },
  user_disabled: { level: 'info', message: 'disabled by an administrator', fields: Type.Object(BY_ADMIN) },
  user_enabled: { level: 'info', message: 'enabled by an administrator', fields: Type.Object(BY_ADMIN) },
  sessions_ended: { level: 'info', message: 'sessions ended by an administrator', fields: Type.Object(BY_ADMIN) },

  login: { level: 'info', message: 'logged in', fields: Type.Object({ user: USER, session: SESSION }) },
  logout: { level: 'info', message: 'logged out', fields: Type.Object({ user: USER, session: SESSION }) },
  logout_everywhere: {
    level: 'info',
    message: 'logged out everywhere',
    fields: Type.Object({ user: USER, session: SESSION })
  },
  session_ended: {
    level: 'info',
    message: 'session ended',
    fields: Type.Object({ user: USER, session: SESSION, by: BY })
  },

  session_replaced: {
    level: 'info',
    message: 'session ended: its browser signed in again',
    fields: Type.Object({ user: USER, session: SESSION, by: BY })
  },

  refresh: { level: 'info', message: 'refreshed', fields: Type.Object(REFRESH) },
  refresh_converged: { level: 'info', message: 'refreshed again', fields: Type.Object(REFRESH) },
  refresh_converged_elsewhere: {
    level: 'warn',
    message: 'refreshed again, from elsewhere',
    fields: Type.Object(REFRESH_FROM)
  },
  refresh_reuse: {
    level: 'warn',
    message: 'a superseded token was shown: session ended',
    fields: Type.Object(REFRESH_FROM)
  },
  refresh_ahead: {
    level: 'error',
    message: 'the database has lost commits',
    fields: Type.Object(REFRESH_FROM)
  },

  email_verified: { level: 'info', message: 'address verified', fields: Type.Object({ user: USER }) },
  email_change_asked: {
    level: 'info',
    message: 'another address wanted',
    fields: Type.Object({ user: USER, session: SESSION })
  },
  email_changed: { level: 'info', message: 'address changed', fields: Type.Object({ user: USER, session: SESSION }) },
  password_reset: { level: 'info', message: 'password reset by a code', fields: Type.Object({ user: USER }) },

  mail_sent: { level: 'info', message: 'a mail was handed over', fields: Type.Object(MAIL) },
  mail_retry: {
    level: 'info',
    message: 'the mail server took a mail not yet',
    fields: Type.Object({ ...MAIL, codes: CODES })
  },
  mail_refused: {
    level: 'warn',
    message: 'the mail server refused a mail for good',
    fields: Type.Object({ ...MAIL, codes: CODES })
  },
  mail_dropped: { level: 'info', message: 'a mail was not wanted any more', fields: Type.Object(MAIL) },
  mail_late: { level: 'warn', message: 'a mail was given up: its time is over', fields: Type.Object(MAIL) },
  mail_waiting: {
    level: 'warn',
    message: 'a mail has waited for more than ten minutes',
    fields: Type.Object({ ...MAIL, codes: CODES })
  },
  mail_paused: {
    level: 'error',
    message: 'the mail server cannot be used; all mails wait',
    fields: Type.Object({ codes: CODES })
  },
  mail_resumed: {
    level: 'info',
    message: 'the mail server can be used again',
    fields: Type.Object({ pauses: Type.Integer({ description: 'How often it was tried in vain' }) })
  },

  admin_command: {
    level: 'info',
    message: 'changed by npm run admin',
    fields: Type.Object({
      command: Type.String(),
      user: Type.Optional(USER),
      kid: Type.Optional(Type.String()),
      accounts: Type.Optional(Type.Integer({ description: 'The number of accounts that it made' }))
    })
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
  keys_gone: { level: 'error', message: 'no key is left that may sign', fields: Type.Object({ kind: KIND }) }
} as const satisfies Record<string, Definition>

/** One of the names of {@link EVENTS}. */
export type EventName = keyof typeof EVENTS

/** The fields of an event. */
export type EventFields<N extends EventName> = Static<(typeof EVENTS)[N]['fields']>
