import { Type } from 'typebox'
import type { Definition } from './definition.ts'
import { CODES, MAIL } from './fields.ts'

/** What becomes of mails. */
export const MAIL_EVENTS = {
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
  }
} as const satisfies Record<string, Definition>
