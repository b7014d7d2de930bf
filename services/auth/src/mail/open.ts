import type { Database } from '@latchkey/database/pool'
import type { EventLog } from '@latchkey/events/emit'
import { createWriter } from './letters.ts'
import { createOutbox, NO_OUTBOX, type Outbox } from './outbox.ts'
import type { CodeLives } from './purposes.ts'
import { type Sender, startSender } from './sender.ts'
import type { MailConfig } from './settings.ts'
import { readTemplates } from './templates.ts'
import { isLoopback, openTransport } from './transport.ts'

/** How long the code of an invitation works, in seconds: people may read the mail days later. */
const INVITATION = 7 * 86_400

/** Reads from the settings how long codes work, in seconds. */
export function livesOf({ VERIFICATION_CODE_TTL, RESET_CODE_TTL }: MailConfig): CodeLives {
  return { verification: VERIFICATION_CODE_TTL, reset: RESET_CODE_TTL, invitation: INVITATION }
}

/** The outbox, and the end of the sender. */
export interface OpenMail extends Pick<Sender, 'close' | 'isPaused'> {
  readonly outbox: Outbox
}

/** Opens the outbox by the settings, and starts to send; says in the log if mail is off or unencrypted. */
export async function openMail(config: MailConfig, database: Database, log: EventLog): Promise<OpenMail> {
  const transport = await openTransport(config, (file) => log.info({ file }, 'a mail was written'))
  if (!transport) {
    log.warn({}, 'SMTP_URL is not set: no mail is sent, so nobody can verify an address or reset a password')
    return { outbox: NO_OUTBOX, isPaused: () => false, close: async () => {} }
  }
  if (config.SMTP_URL && config.SMTP_TLS === 'off' && !isLoopback(config.SMTP_URL)) {
    log.warn({}, 'SMTP_TLS is off: mails, their codes and the password of SMTP_URL go unencrypted')
  }
  const lives = livesOf(config)
  const write = createWriter({
    publicUrl: config.PUBLIC_URL,
    issuer: config.ISSUER,
    lives,
    templates: readTemplates(config.MAIL_TEMPLATES)
  })
  const sender = startSender({ database, transport, write, lives, log })
  return { outbox: createOutbox(sender.wake), isPaused: sender.isPaused, close: sender.close }
}
