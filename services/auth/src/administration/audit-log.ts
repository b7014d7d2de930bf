import { transact } from '@latchkey/audit/acting'
import { findRecords } from '@latchkey/audit/read'
import { type AuditedName, EVENTS } from '@latchkey/events/events'
import type { App } from '@latchkey/frame/app-type'
import { canonicalId, idOf } from '@latchkey/frame/ids'
import { ACCESS_TOKEN, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { LONGEST_TIME, refuseTime } from './time.ts'

const DEFAULT_LIMIT = 50

const AUDITED = Object.entries(EVENTS).flatMap(([name, event]) => ('audit' in event ? [name as AuditedName] : []))

const OUTCOME = Type.Enum(['done', 'refused', 'failed'], { description: 'done, refused or failed' })
const UUID = Type.String({ format: 'uuid' })
const TEXT_OR_NULL = Type.Union([Type.String(), Type.Null()])
const UUID_OR_NULL = Type.Union([UUID, Type.Null()])
const ANY = Type.Object({}, { additionalProperties: true })

const RECORD = Type.Object(
  {
    seq: Type.Integer({ description: 'Its number in the chain' }),
    id: UUID,
    at: Type.String({ format: 'date-time', description: 'With microseconds, as the hash of the record has it' }),
    event: Type.String(),
    outcome: OUTCOME,
    actor_kind: Type.Enum(['user', 'admin', 'operator', 'stranger', 'service']),
    actor_id: UUID_OR_NULL,
    session_id: UUID_OR_NULL,
    target_kind: TEXT_OR_NULL,
    target_id: TEXT_OR_NULL,
    request_id: UUID_OR_NULL,
    detail: ANY,
    person_id: Type.Union([UUID, Type.Null()], { description: 'Whom the personal data belong to' }),
    personal: Type.Union([ANY, Type.Null()], { description: 'Null: there are none, or they were erased' })
  },
  { title: 'AuditRecord' }
)

const time = (description: string) =>
  Type.Optional(
    Type.String({
      maxLength: LONGEST_TIME,
      description,
      format: 'date-time',
      examples: ['2026-01-31T00:00:00Z'],
      refuse: refuseTime
    })
  )

const schema = {
  tags: ['administration'],
  operationId: 'readAuditLog',
  summary: 'Read the audit log, the newest record first, one page at a time; this is recorded too',
  description:
    'A record comes within about a second of what it tells of. A page can have fewer records than limit, even none, and yet a next: go on until next is null.',
  security: ACCESS_TOKEN,
  querystring: Type.Object(
    {
      user: Type.Optional(idOf('a user who acted, or to whom it was done')),
      event: Type.Optional(
        Type.Enum(AUDITED, { description: 'an event that is audited, as docs/events.md lists them' })
      ),
      outcome: Type.Optional(OUTCOME),
      from: time('only records of this time and later (RFC 3339)'),
      to: time('only records before this time (RFC 3339)'),
      after: Type.Optional(
        Type.String({
          maxLength: 16,
          pattern: '^[1-9][0-9]{0,15}$',
          description: 'the value of next in the previous page'
        })
      ),
      limit: Type.Optional(
        Type.String({ maxLength: 3, pattern: '^([1-9][0-9]?|100)$', description: 'a number from 1 to 100' })
      )
    },
    { additionalProperties: false }
  ),
  response: {
    200: Type.Object(
      {
        records: Type.Array(RECORD),
        next: Type.Union([Type.Integer(), Type.Null()], { description: 'after of the next page; null on the last one' })
      },
      { title: 'AuditLogPage' }
    ),
    ...problems(...TOKEN_PROBLEMS, 'insufficient_scope')
  }
}

/** `GET /audit-log`: leaves a record of itself, in the same transaction. */
export function readAuditLog(app: App, { actingOf, guards }: Pick<Parts, 'actingOf' | 'guards'>): void {
  app.get('/audit-log', { schema, config: { audited: 'audit_read' }, onRequest: guards.admin }, async (request) => {
    const { query, caller } = request
    const { limit = String(DEFAULT_LIMIT), after, ...search } = query
    refuseEmptyRange(search)
    const filters = { ...search, ...(search.user !== undefined && { user: canonicalId(search.user) }) }
    return transact(actingOf(request), (connection, note) => {
      note('audit_read', { by: caller.id, session: caller.sid, filters: { ...query, ...filters } })
      return findRecords(connection, { ...filters, ...(after && { after: Number(after) }) }, Number(limit))
    })
  })
}

function refuseEmptyRange({ from, to }: { from?: string; to?: string }): void {
  if (from === undefined || to === undefined || Date.parse(from.toUpperCase()) <= Date.parse(to.toUpperCase())) return
  throw new Problem('invalid_input', { errors: [{ field: 'from', message: 'must not be later than to' }] })
}
