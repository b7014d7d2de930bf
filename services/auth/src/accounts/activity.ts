import { findActivity, type StoredRecord } from '@latchkey/audit/read'
import type { App } from '@latchkey/frame/app-type'
import { HEADER_OR_COOKIE, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { type Static, Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'

const ACTIVITY = Type.Object(
  {
    at: Type.String({ format: 'date-time' }),
    event: Type.String({ description: 'docs/events.md lists them' }),
    outcome: Type.Enum(['done', 'refused', 'failed']),
    code: Type.Optional(Type.String({ description: 'Of a refusal or failure: the code that was answered' })),
    by: Type.Enum(['me', 'admin', 'operator', 'stranger', 'service'], {
      description: 'Who acted: the caller, an administrator, the command line, somebody else, or the service'
    }),
    session_id: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
      description: 'The session of the caller in which it was done'
    }),
    ip: Type.Union([Type.String(), Type.Null()], {
      description: 'The address of the client; never that of an administrator'
    }),
    user_agent: Type.Union([Type.String(), Type.Null()])
  },
  { title: 'Activity' }
)

const schema = {
  tags: ['accounts'],
  operationId: 'listActivity',
  summary: 'List the last 100 sign-ins, refusals and changes of the account, the newest first',
  security: HEADER_OR_COOKIE,
  response: {
    200: Type.Object({ activity: Type.Array(ACTIVITY) }, { title: 'ActivityList' }),
    ...problems(...TOKEN_PROBLEMS)
  }
}

/** `GET /me/activity`: of the audit log, what the caller may see of themselves. */
export function activity(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  app.get('/me/activity', { schema, onRequest: guards.account }, async ({ caller }) => ({
    activity: (await findActivity(database, caller.id)).map((record) => activityView(record, caller.id))
  }))
}

/** Makes the view of a record for the user whom it concerns: nothing in it is of another person. */
export function activityView(record: StoredRecord, user: string): Static<typeof ACTIVITY> {
  const { at, event, outcome, actor_kind, actor_id, session_id, detail, person_id } = record
  const code = detail['code']
  const personal = person_id === user ? record.personal : null
  const isOthers = actor_id !== null && actor_id !== user
  return {
    at,
    event,
    outcome,
    ...(typeof code === 'string' && { code }),
    // Another user who tries what only administrators may do is a stranger to this one.
    by: actor_id === user ? 'me' : actor_kind === 'user' ? 'stranger' : actor_kind,
    session_id: isOthers ? null : session_id,
    ip: textOf(personal?.['ip']),
    user_agent: textOf(personal?.['user_agent'])
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
