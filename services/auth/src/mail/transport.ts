import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { SendMailOptions } from 'nodemailer'
import type { Letter } from './letters.ts'
import type { MailConfig } from './settings.ts'

/** One letter with its address. All attempts to send it have the same id. */
export interface Parcel extends Letter {
  readonly id: string
  readonly purpose: string
  readonly to: string
}

/** Hands letters to a mail server, or writes them into a folder. */
export interface Transport {
  /** Resolves when the letter was accepted. Rejects as nodemailer does. `signal` ends the attempt. */
  send(parcel: Parcel, signal: AbortSignal): Promise<void>
}

/** Time limits of the steps of SMTP, in milliseconds. The whole send has its own limit, in `deliver.ts`. */
const LIMITS = { dnsTimeout: 5000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }

/** Names of this machine: nobody else can read the mails on the way. Only these, because a name server can lie. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Makes the transport by the settings; nothing if mail is off. In development, `made` gets the path of each file. */
export async function openTransport(config: MailConfig, made: (file: string) => void): Promise<Transport | undefined> {
  if (config.SMTP_URL !== undefined) return overSmtp(config, config.SMTP_URL)
  return config.NODE_ENV === 'development' ? intoFolder(config, path.resolve(config.DATA_DIR, 'mail'), made) : undefined
}

/** Tells whether mails to this server may go unencrypted although SMTP_TLS is `required`. */
export function isLoopback(url: string): boolean {
  return LOOPBACK.test(new URL(url).hostname)
}

async function overSmtp({ MAIL_FROM: from, SMTP_TLS }: MailConfig, url: string): Promise<Transport> {
  const { createTransport } = await import('nodemailer')
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  const mailer = createTransport({
    ...LIMITS,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? 465 : 587),
    secure,
    // Without it, an attacker on the way could remove the offer of STARTTLS, and read mails and password.
    requireTLS: !secure && SMTP_TLS === 'required' && !isLoopback(url),
    ignoreTLS: !secure && SMTP_TLS === 'off',
    // A mail server on this machine usually has a certificate that no authority signed.
    ...(isLoopback(url) && { tls: { rejectUnauthorized: false } }),
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    disableFileAccess: true,
    disableUrlAccess: true
  })
  return {
    send: async (parcel, signal) => {
      await mailer.sendMail({ ...messageOf(parcel, from), signal })
    }
  }
}

async function intoFolder(
  { MAIL_FROM: from }: MailConfig,
  folder: string,
  made: (file: string) => void
): Promise<Transport> {
  const { createTransport } = await import('nodemailer')
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
  return {
    send: async (parcel) => {
      const { message } = await composer.sendMail(messageOf(parcel, from))
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const time = new Date().toISOString().replaceAll(/[:.]/g, '-')
      const file = path.join(folder, `${time}-${parcel.purpose}-${parcel.id}.eml`)
      // Programs that watch the folder see only complete files.
      const unfinished = `${file}.part`
      await writeFile(unfinished, message as Buffer, { mode: 0o600 })
      await rename(unfinished, file)
      made(file)
    }
  }
}

// The address is an object, because nodemailer would split a text at commas.
function messageOf({ id, to, subject, text, html }: Parcel, from: string): SendMailOptions {
  const [, domain = 'localhost'] = /@([^>]+)>?$/.exec(from) ?? []
  return {
    from,
    to: { name: '', address: to },
    subject,
    text,
    html,
    messageId: `<${id}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }
  }
}
