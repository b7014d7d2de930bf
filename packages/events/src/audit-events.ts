import { Type } from 'typebox'
import type { Definition } from './definition.ts'
import { BY_ADMIN, ERROR } from './fields.ts'

/** What concerns the audit log itself. */
export const AUDIT_EVENTS = {
  audit_read: {
    level: 'info',
    message: 'the audit log was read',
    fields: Type.Object({
      by: BY_ADMIN.by,
      session: BY_ADMIN.session,
      filters: Type.Record(Type.String(), Type.String(), { description: 'What was searched for' })
    }),
    audit: { actor: 'admin', detail: ['filters'] }
  },
  audit_head: {
    level: 'info',
    message: 'the audit log so far: keep this line elsewhere, npm run audit -- verify takes it',
    fields: Type.Object({
      seq: Type.Integer({ description: 'The number of the last record' }),
      hash: Type.String({ description: 'The hash of the last record, in hex' }),
      kid: Type.Union([Type.String(), Type.Null()], {
        description: 'The key that has signed it, in audit_heads; null while no key signs'
      })
    })
  },
  audit_pruned: {
    level: 'info',
    message: 'old records of the audit log were removed',
    fields: Type.Object({
      seq: Type.Integer({ description: 'The number of the last record that was removed' }),
      hash: Type.String({ description: 'Its hash, in hex' }),
      records: Type.Integer({ description: 'How many were removed' })
    }),
    audit: { actor: 'service', detail: ['seq', 'hash', 'records'] }
  },
  audit_left_out: {
    level: 'warn',
    message: 'refusals, or sockets of the chat, were left out of the audit log: there were too many',
    fields: Type.Object({ refusals: Type.Integer() }),
    audit: { actor: 'service', detail: ['refusals'] }
  },
  audit_failed: {
    level: 'error',
    message: 'the audit log cannot be written now',
    fields: Type.Object({
      waiting: Type.Integer({ description: 'The refusals that wait; they are written later' }),
      lost: Type.Integer({ description: 'The refusals that are lost' }),
      err: ERROR
    })
  }
} as const satisfies Record<string, Definition>
