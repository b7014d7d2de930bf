import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Test } from 'tap'

/** A mail that the server has accepted. */
export interface ReceivedMail extends Email {
  /** The code of the text, without hyphens; empty if there is none. */
  readonly code: string
  /** The link of the text; empty if there is none. */
  readonly link: string
  /** Where it went by the envelope. */
  readonly recipient: string
  /** As it was sent. */
  readonly source: string
}

/** A real SMTP server on loopback. */
export interface MailServer {
  readonly url: string
  /** Everything that was accepted, in its order. */
  readonly mails: ReceivedMail[]
  /** Waits until a mail to this address with this in its subject was accepted, and takes it out of `mails`. */
  take(recipient: string, subject?: RegExp | string): Promise<ReceivedMail>
  /** Waits until so many mails are there. */
  count(mails: number): Promise<void>
  close(): Promise<void>
}

/** How a server behaves otherwise than one that accepts all. `port` is by default any free one. */
export interface Behaviour extends SMTPServerOptions {
  readonly port?: number
  /** What `DATA` is answered with; by default it is accepted. */
  readonly refuse?: (mail: ReceivedMail) => Error | undefined
}

/** Makes an error with an SMTP status, as `new Error` has none. */
export function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}

/** Starts a mail server and stops it at the end of the test. */
export async function startMailServer(t: Pick<Test, 'teardown'>, behaviour: Behaviour = {}): Promise<MailServer> {
  const { port = 0, refuse, ...options } = behaviour
  const mails: ReceivedMail[] = []
  const waiting = new Set<() => void>()
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    authOptional: true,
    logger: false,
    onData(stream, session, done) {
      receive(stream, session.envelope.rcptTo[0]?.address ?? '').then((mail) => {
        const refusal = refuse?.(mail)
        if (!refusal) {
          mails.push(mail)
          for (const wake of waiting) wake()
        }
        done(refusal)
      }, done)
    },
    ...options
  })
  // A client that is cut off is no failure of the server.
  server.on('error', () => {})
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= new Promise((resolve) => server.close(resolve))
    return closed
  }
  t.teardown(close)

  async function until<T>(found: () => T | undefined): Promise<T> {
    for (;;) {
      const value = found()
      if (value !== undefined) return value
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          resolve()
        }
        waiting.add(wake)
      })
    }
  }

  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    take: (recipient, subject = '') =>
      until(() => {
        const at = mails.findIndex(
          (mail) => mail.recipient === recipient && new RegExp(subject).test(mail.subject ?? '')
        )
        return at < 0 ? undefined : mails.splice(at, 1)[0]
      }),
    count: async (wanted) => {
      await until(() => (mails.length >= wanted ? true : undefined))
    },
    close
  }
}

async function receive(stream: AsyncIterable<Buffer>, recipient: string): Promise<ReceivedMail> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  const source = Buffer.concat(chunks)
  const email = await PostalMime.parse(source)
  const code = /^\w{5}(?:-\w{5}){3}-\w{6}$/m.exec(email.text ?? '')?.[0]?.replaceAll('-', '') ?? ''
  const link = /^https?:\S+$/m.exec(email.text ?? '')?.[0] ?? ''
  return { ...email, code, link, recipient, source: source.toString() }
}
