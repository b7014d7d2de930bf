import { Type } from 'typebox'

// The fields that several events have.

const USER = Type.String({ description: 'The id of the user whom it concerns' })
const SESSION = Type.String({ description: 'The session that it concerns, or in which somebody acted' })
const BY = Type.String({
  description: 'Who did it, where that is somebody else: an administrator, or another session'
})

export const CODE = Type.String({ description: 'A code of packages/problems' })
/** Of a request that was not done. */
export const REFUSED = {
  code: CODE,
  asked: Type.Optional(Type.String({ description: 'The event that the request would have been' })),
  limit: Type.Optional(
    Type.String({ description: 'Of too_many_requests: account if the wrong passwords of one address were too many' })
  )
}
export const ERROR = Type.Unsafe<unknown>({ description: 'The error behind it' })
export const OF_USER = { user: USER }
export const OF_SESSION = { user: USER, session: SESSION }
/** Without `by` and `session` it was done at the command line. */
export const BY_ADMIN = { user: USER, by: Type.Optional(BY), session: Type.Optional(SESSION) }

export const REFRESH = {
  user: USER,
  session: SESSION,
  shown: Type.Integer({ description: 'The generation of the token that was shown' }),
  current: Type.Integer({ description: 'The generation that is current afterwards' })
}
export const REFRESH_FROM = {
  ...REFRESH,
  ip: Type.String(),
  user_agent: Type.Union([Type.String(), Type.Null()])
}

export const MAIL = {
  mail: Type.String({ description: 'The id of the mail, which its Message-ID begins with' }),
  purpose: Type.String({ description: 'What the mail is for' }),
  user: Type.Optional(USER),
  attempts: Type.Integer({ description: 'How often it was tried, with this time' }),
  age: Type.Integer({ description: 'Seconds since it was asked for' })
}
export const CODES = Type.String({ description: 'Codes of the mail library and the mail server' })

export const KIND = Type.String({ description: 'access or refresh' })
export const KIDS = Type.Array(Type.String())
export const OF_KEY = { kind: KIND, kid: Type.String() }
