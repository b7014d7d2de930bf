import { faultOfUrl } from '@latchkey/frame/connection-url'
import { choice, duration, text, url } from '@latchkey/frame/settings'
import { type Static, type TObject, Type } from 'typebox'
import { faultOfTemplates } from './templates.ts'

/** In seconds. */
const DAY = 86_400

const DEFAULT_SENDER = 'Latchkey <no-reply@localhost>'

/** The settings of mail. */
export const mailSettings = {
  DATA_DIR: text({
    default: './data',
    description: 'Folder for mail in development, in mail/; production writes no file.'
  }),
  SMTP_URL: Type.Optional(
    text({
      file: true,
      check: faultOfSmtpUrl,
      description:
        'The mail server, as in smtp://user:password@mail.example.com:587 or smtps://…:465; user and password percent-encoded. Unset, mail is off in production; in development it is written to DATA_DIR/mail.'
    })
  ),
  SMTP_TLS: choice(['required', 'off'], {
    default: 'required',
    description:
      'required: no mail without TLS (smtps, or STARTTLS), except to localhost, 127.0.0.0/8 and [::1]. off: mails, codes and the password of SMTP_URL go unencrypted; only for a trusted network.'
  }),
  MAIL_FROM: text({
    default: DEFAULT_SENDER,
    check: faultOfSender,
    description:
      'Sender of the mails, as in no-reply@example.com or Example <no-reply@example.com>. Set it together with SMTP_URL; mail servers refuse a sender that is not theirs.'
  }),
  PUBLIC_URL: Type.Optional(
    url({
      description:
        'Where the links in mails lead: to <PUBLIC_URL>/verify-email and /reset-password, with address and code behind a #. May be this service itself, which has the two pages. Unset, mails have the code alone.'
    })
  ),
  MAIL_TEMPLATES: Type.Optional(
    text({
      check: faultOfTemplates,
      description:
        'Folder with texts in place of those of the service: <purpose>.txt, whose first line is the subject, and <purpose>.html. docs/mail.md has the purposes and the words in braces that are filled in.'
    })
  ),
  VERIFICATION_CODE_TTL: duration({
    minimum: 1,
    maximum: 30 * DAY,
    default: '24h',
    description: 'How long a code works that proves an address, from the sending of its mail.'
  }),
  RESET_CODE_TTL: duration({
    minimum: 1,
    maximum: DAY,
    default: '10m',
    description: 'How long a code works that sets a new password, from the sending of its mail.'
  }),
  REQUIRE_VERIFIED_EMAIL: choice(['on', 'off'], {
    default: 'off',
    description:
      'on: there is an account only after the code of the mail was entered, and nobody logs in with an unverified address. /signup then answers 202 for known and unknown addresses alike. It needs mail.'
  })
}

/** The values of the settings of mail, with those of others that mail depends on. */
export type MailConfig = Static<TObject<typeof mailSettings>> & {
  readonly NODE_ENV: 'production' | 'development'
  readonly ISSUER: string
}

function faultOfSmtpUrl(value: string): string | undefined {
  const fault = faultOfUrl(value)
  if (fault) return fault
  if (!/^smtps?:\/\//.test(value)) return 'must begin with smtp:// or smtps://'
  // nodemailer would take options from them; one of them logs codes.
  if (/^smtps?:\/\/[^/?]*[/?]/.test(value)) return 'must end after host and port: no path and no query'
  const parsed = URL.canParse(value) ? new URL(value) : undefined
  if (!parsed?.hostname) return 'must name a host, as in smtp://mail.example.com:587'
  if (parsed.password && !parsed.username) return 'has a password without a user'
  return undefined
}

// RFC 5321 mailbox, with a display name or without; a name with a comma or a quote would need quoting.
function faultOfSender(value: string): string | undefined {
  const mailbox = /^(?:[^<>"(),:;@\\\p{Cc}]* <([^<>]+)>|([^<>\s]+))$/u.exec(value)
  const address = mailbox?.[1] ?? mailbox?.[2] ?? ''
  return /^[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(address)
    ? undefined
    : 'must be an address, as in no-reply@example.com or Example <no-reply@example.com>'
}

/** Says which settings of mail contradict each other, so that the service cannot start. */
export function faultsOfMail(config: MailConfig): string[] {
  const on = config.SMTP_URL !== undefined || config.NODE_ENV === 'development'
  return [
    config.REQUIRE_VERIFIED_EMAIL === 'on' &&
      !on &&
      'REQUIRE_VERIFIED_EMAIL is on, and no mail can be sent: set SMTP_URL.',
    config.SMTP_URL !== undefined &&
      config.MAIL_FROM === DEFAULT_SENDER &&
      'MAIL_FROM must be set together with SMTP_URL: to the sender of the mails, as in no-reply@example.com.'
  ].filter((fault) => fault !== false)
}
