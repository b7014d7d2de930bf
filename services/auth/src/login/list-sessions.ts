import type { App } from '@latchkey/frame/app-type'
import { harmless } from '@latchkey/frame/harmless'
import { HEADER_OR_COOKIE, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { findDevices } from '../sessions/sessions.ts'

const TIME = Type.String({ format: 'date-time' })

const SESSION = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    created_at: TIME,
    last_used_at: Type.String({ format: 'date-time', description: 'Last login or refresh' }),
    user_agent: Type.Union([Type.String(), Type.Null()]),
    ip: Type.Union([Type.String(), Type.Null()]),
    current: Type.Boolean({ description: 'Whether this is the session of the access token of the request' })
  },
  { title: 'Session' }
)

const SESSIONS = Type.Object({ sessions: Type.Array(SESSION) }, { title: 'SessionList' })

const schema = {
  tags: ['sessions'],
  operationId: 'listSessions',
  summary: 'List the live sessions of the caller, the last used first',
  security: HEADER_OR_COOKIE,
  response: { 200: SESSIONS, ...problems(...TOKEN_PROBLEMS) }
}

/** `GET /sessions`. */
export function listSessions(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  app.get('/sessions', { schema, onRequest: guards.account }, async ({ caller }) => {
    // Rows that an earlier version wrote can contain text of clients as it came.
    const devices = await findDevices(database, caller.id)
    return {
      sessions: devices.map(({ created_at, last_used_at, user_agent, ip, ...device }) => ({
        ...device,
        user_agent: user_agent && harmless(user_agent),
        ip: ip && harmless(ip),
        created_at: created_at.toISOString(),
        last_used_at: last_used_at.toISOString(),
        current: device.id === caller.sid
      }))
    }
  })
}
