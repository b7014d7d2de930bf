import { type Behaviour, type MailServer, startMailServer } from '@latchkey/testing/mail-server'
import type { Test } from 'tap'
import { type Auth, startAuth } from './app.ts'

/** Builds the auth service with a mail server of its own, which behaves in this way. */
export async function startWithMail(
  t: Test,
  { env = {}, behaviour = {} }: { env?: Record<string, string>; behaviour?: Behaviour } = {}
): Promise<{ server: MailServer; auth: Auth }> {
  const server = await startMailServer(t, behaviour)
  const auth = await startAuth(t, { env: { MAIL_FROM: 'no-reply@example.com', SMTP_URL: server.url, ...env } })
  return { server, auth }
}

/** Waits until a statement finds no row. */
export async function untilGone({ database }: Pick<Auth, 'database'>, statement: string): Promise<void> {
  while ((await database.query(statement)).length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Waits until everything that was asked for was looked at, and every mail has ended. */
export async function settle({ database, outbox }: Auth): Promise<void> {
  outbox.wake()
  await untilGone({ database }, 'SELECT FROM mail_requests UNION ALL SELECT FROM mails WHERE done_at IS NULL')
}
