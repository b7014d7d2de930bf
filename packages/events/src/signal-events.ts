import { Type } from 'typebox'
import type { Definition } from './definition.ts'

const STREAM = Type.String({ description: 'The id of the stream' })
const JTI = Type.String({ description: 'The jti of the SET' })
const OF_SET = { stream: STREAM, jti: JTI }
const METHOD = Type.String({ description: 'push or poll' })

/** What concerns the streams of Shared Signals. */
export const SIGNAL_EVENTS = {
  stream_added: {
    level: 'info',
    message: 'a stream of Shared Signals was added',
    fields: Type.Object({
      stream: STREAM,
      method: METHOD,
      audience: Type.String({ description: 'The aud of its SETs' })
    }),
    audit: { actor: 'service', target: 'stream', detail: ['method', 'audience'] }
  },
  stream_removed: {
    level: 'info',
    message: 'a stream of Shared Signals was removed',
    fields: Type.Object({ stream: STREAM, method: METHOD }),
    audit: { actor: 'service', target: 'stream', detail: ['method'] }
  },
  stream_verification: {
    level: 'info',
    message: 'a verification event was asked for',
    fields: Type.Object({
      stream: STREAM,
      state: Type.String({ description: 'What the event says, so that its receiver can be asked for it' })
    }),
    audit: { actor: 'service', target: 'stream', detail: ['state'] }
  },
  signal_sent: {
    level: 'info',
    message: 'a receiver has accepted a SET',
    fields: Type.Object({ ...OF_SET, age: Type.Number({ description: 'Seconds since what it tells of' }) })
  },
  signal_retry: {
    level: 'warn',
    message: 'a receiver did not accept a SET; it is tried again',
    fields: Type.Object({
      ...OF_SET,
      reason: Type.String({ description: 'The status of the answer, or the code of the error' }),
      failures: Type.Integer({ description: 'How often it was sent in vain' }),
      age: Type.Number({ description: 'Seconds since what it tells of' })
    })
  },
  signal_refused: {
    level: 'warn',
    message: 'a receiver has refused a SET for good',
    fields: Type.Object({ ...OF_SET, code: Type.String({ description: 'The err of its answer' }) })
  },
  signals_given_up: {
    level: 'error',
    message: 'a receiver did not take SETs for a week: they are given up',
    fields: Type.Object({ stream: STREAM, sets: Type.Integer() })
  },
  signals_lost: {
    level: 'error',
    message: 'records of the audit log were removed before a stream had read them',
    fields: Type.Object({ stream: STREAM, records: Type.Integer() })
  },
  signals_rewound: {
    level: 'error',
    message: 'the audit log is not the one that a stream has read: it was restored; the stream goes on where it can',
    fields: Type.Object({
      stream: STREAM,
      seq: Type.Integer({ description: 'The last record that it had read' }),
      from: Type.Integer({ description: 'The record behind which it goes on' })
    })
  }
} as const satisfies Record<string, Definition>
