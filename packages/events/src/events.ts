import { type Static, type TObject, Type } from 'typebox'

const USER = Type.String({ description: 'The id of the user whom it concerns' })
const SESSION = Type.String({ description: 'The session that it concerns, or in which somebody acted' })
const BY = Type.String({
  description: 'Who did it, where that is somebody else: an administrator, or a session of the same user'
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
