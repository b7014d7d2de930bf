import net from 'node:net'
import { type Behaviour, type MailServer, smtpError, startMailServer } from '@latchkey/testing/mail-server'
import t, { type Test } from 'tap'
import { type Auth, startAuth } from './app.ts'
import { startWithMail, untilGone } from './mail.ts'

const MAIL = { MAIL_FROM: 'no-reply@example.com' }
const ADDRESS = 'canary@example.com'

/** The service with a mail server of this behaviour, and a person whose first mail is on its way. */
async function start(t: Test, behaviour: Behaviour = {}, env: Record<string, string> = {}) {
  const { server, auth } = await startWithMail(t, { behaviour, env })
  return { server, auth, person: await auth.person({ email: ADDRESS }) }
}

/** Waits for the event of a mail, which comes without a request. */
async function until(auth: Auth, event: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = auth.lines.find((line) => line['event'] === event)
    if (line) return line
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const warnings: string[] = []
process.on('warning', ({ name }) => warnings.push(name))

const eventsOf = (auth: Auth) => auth.lines.map(({ event }) => event).filter((event) => /^mail/.test(String(event)))
const rowsOf = (auth: Auth) => auth.database.query<Record<string, unknown>>('SELECT * FROM mails')

/** Makes every open mail due, as time would. */
async function letTimePass(auth: Auth): Promise<void> {
  await auth.database.query('UPDATE mails SET due_at = now() WHERE done_at IS NULL')
  auth.outbox.wake()
}

t.test('while the mail server is away mails wait; one error is logged, and one line when it is back', async (t) => {
  const first = await startMailServer(t)
  await first.close()
  const auth = await startAuth(t, { env: { ...MAIL, SMTP_URL: first.url } })
  await auth.person({ email: ADDRESS })
  t.match(await until(auth, 'mail_paused'), { level: 'error', codes: /ECONNREFUSED|ESOCKET/ })
  const server = await startMailServer(t, { port: Number(new URL(first.url).port) })
  const { code } = await server.take(ADDRESS)
  t.match(await until(auth, 'mail_resumed'), { level: 'info' })
  await until(auth, 'mail_sent')
  t.strictSame(eventsOf(auth).sort(), ['mail_paused', 'mail_resumed', 'mail_sent'])
  t.equal((await auth.send('POST /verify-email', { body: { email: ADDRESS, code } })).status, 204)
})

t.test('a greylisted mail waits and comes again with the same Message-ID', async (t) => {
  const seen: unknown[] = []
  const { server, auth } = await start(t, {
    refuse: ({ messageId }) => (seen.push(messageId) === 1 ? smtpError(451, 'come back later') : undefined)
  })
  t.match(await until(auth, 'mail_retry'), { level: 'info', codes: 'EMESSAGE DATA 451', attempts: 1 })
  const [row] = await auth.database.query("SELECT due_at > now() + interval '7 seconds' AS waits FROM mails")
  t.strictSame(row, { waits: true })
  await letTimePass(auth)
  await server.take(ADDRESS)
  t.equal(seen.length, 2)
  t.equal(seen[0], seen[1])
  t.match(seen[0], /^<[\da-f-]{36}@example\.com>$/)
})

/** What a server says to RCPT TO, and what becomes of the mail. */
const REFUSALS: [status: number, text: string, event: string, codes: string][] = [
  [550, '5.1.1 no such user canary', 'mail_refused', 'EENVELOPE RCPT TO 550 5.1.1'],
  [452, '4.2.2 mailbox full', 'mail_retry', 'EENVELOPE RCPT TO 452 4.2.2'],
  [550, '5.7.1 relaying denied', 'mail_retry', 'EENVELOPE RCPT TO 550 5.7.1']
]

for (const [status, text, event, codes] of REFUSALS) {
  t.test(`${status} ${text} at the recipient is ${event}, logged without address and text`, async (t) => {
    const { auth } = await start(t, { onRcptTo: (_address, _session, done) => done(smtpError(status, text)) })
    t.match(await until(auth, event), { codes })
    t.match(await rowsOf(auth), [{ outcome: event === 'mail_refused' ? 'refused' : null, last_error: codes }])
    t.notMatch(
      JSON.stringify(auth.lines.filter((line) => /^mail/.test(String(line['event'])))),
      /canary|mailbox|relaying/
    )
  })
}

t.test('a wrong password of the mail server, or a refused sender, loses no mail', async (t) => {
  const refusing: Record<string, Behaviour> = {
    'EAUTH AUTH PLAIN 535': {
      disabledCommands: ['STARTTLS'],
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(smtpError(535, 'wrong'))
    },
    'EENVELOPE MAIL FROM 553': { onMailFrom: (_address, _session, done) => done(smtpError(553, 'not yours')) },
    'EPROTOCOL CONN 554': { onConnect: (_session, done) => done(smtpError(554, 'go away')) }
  }
  for (const [codes, behaviour] of Object.entries(refusing)) {
    const server = await startMailServer(t, behaviour)
    const SMTP_URL = codes.includes('AUTH') ? server.url.replace('//', '//user:secret-canary@') : server.url
    const auth = await startAuth(t, { env: { ...MAIL, SMTP_URL } })
    await auth.person()
    t.match(await until(auth, 'mail_paused'), { codes })
    t.match(await rowsOf(auth), [{ done_at: null, outcome: null }], codes)
    t.notMatch(JSON.stringify(auth.lines), 'secret-canary')
  }
})

t.test('a connection that is cut after the mail was accepted gives an honest double: both codes work', async (t) => {
  const accepted: MailServer['mails'] = []
  const server = await startMailServer(t, { refuse: (mail) => void accepted.push(mail) })
  let cut = false
  // Hands everything on, but for the answer to the first mail.
  const proxy = net.createServer((client) => {
    const upstream = net.connect(Number(new URL(server.url).port), '127.0.0.1')
    client.pipe(upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    upstream.on('data', (answer) => {
      if (accepted.length === 1 && !cut) {
        cut = true
        client.destroy()
      } else client.write(answer)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.close())
  const { port } = proxy.address() as net.AddressInfo
  const auth = await startAuth(t, { env: { ...MAIL, SMTP_URL: `smtp://127.0.0.1:${port}` } })
  await auth.person({ email: ADDRESS })
  await until(auth, 'mail_paused')
  await server.count(2)
  await until(auth, 'mail_sent')
  const [first, second] = accepted
  t.equal(second?.messageId, first?.messageId)
  t.not(second?.code, first?.code)
  const codes = await auth.database.query('SELECT FROM codes')
  t.equal(codes.length, 2)
  t.equal((await auth.send('POST /verify-email', { body: { email: ADDRESS, code: first?.code } })).status, 204)
})

t.test('no mail goes without TLS, except to this machine or where SMTP_TLS is off', async (t) => {
  const commands: string[] = []
  const server = await startMailServer(t, {
    onMailFrom: (_address, _session, done) => {
      commands.push('MAIL')
      done()
    }
  })
  // The same machine by a name that does not say so.
  const SMTP_URL = server.url.replace('127.0.0.1', '0.0.0.0')
  const strict = await startAuth(t, { env: { ...MAIL, SMTP_URL } })
  await strict.person()
  t.match(await until(strict, 'mail_paused'), { codes: /ETLS|STARTTLS/ })
  t.strictSame(commands, [])
  const plain = await startAuth(t, { env: { ...MAIL, SMTP_URL, SMTP_TLS: 'off' } })
  t.match(plain.lines, [{ level: 'warn', msg: /^SMTP_TLS is off/ }])
  const { email } = await plain.person()
  await server.take(email)
})

t.test('several instances send each mail once, also those of one that died', async (t) => {
  const server = await startMailServer(t)
  const quiet = await startAuth(t)
  const people = await Promise.all(Array.from({ length: 40 }, () => quiet.person()))
  const ids = people.map(({ id }) => id)
  // As if an instance had taken ten of them and died: their leases have ended.
  await quiet.database.query(
    `INSERT INTO mails (id, purpose, user_id, asked_at, due_at, give_up_at, attempts, sweep_on)
     SELECT gen_random_uuid(), 'verify_email', id, now(), now(), now() + interval '1 day', (n < 10)::int, now()::date
       FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n)`,
    [ids]
  )
  const env = { ...MAIL, SMTP_URL: server.url, DATABASE_URL: quiet.config.DATABASE_URL }
  const instances = await Promise.all([1, 2, 3].map(() => startAuth(t, { env })))
  for (const { outbox } of instances) outbox.wake()
  await server.count(40)
  await untilGone(quiet, 'SELECT FROM mails WHERE done_at IS NULL')
  t.strictSame(server.mails.map(({ recipient }) => recipient).sort(), people.map(({ email }) => email).sort())
})

t.test('many mails one after the other leave nothing behind in the process', async (t) => {
  const { server, auth, person } = await start(t)
  await auth.database.query(
    `INSERT INTO mails (id, purpose, user_id, limited, asked_at, due_at, give_up_at, sweep_on)
     SELECT gen_random_uuid(), 'password_changed', $1, false, now(), now(), now() + interval '1 day', now()::date
       FROM generate_series(1, 80)`,
    [person.id]
  )
  auth.outbox.wake()
  await server.count(81)
  t.strictSame(warnings, [], 'such as of too many listeners')
})

t.test('a mail whose time is over is given up, and one that is not wanted any more is dropped', async (t) => {
  const { server, auth, person } = await start(t)
  await server.take(ADDRESS)
  await until(auth, 'mail_sent')
  const add = (sql: string) =>
    auth.database.query(
      `INSERT INTO mails (id, purpose, user_id, asked_at, due_at, give_up_at, sweep_on)
       SELECT gen_random_uuid(), 'verify_email', '${person.id}', now(), now(), ${sql}, now()::date`
    )
  await add("now() - interval '1 second'")
  auth.outbox.wake()
  t.match(await until(auth, 'mail_late'), { level: 'warn', purpose: 'verify_email', user: person.id })
  await auth.database.query('UPDATE users SET email_verified = true')
  await add("now() + interval '1 day'")
  auth.outbox.wake()
  t.match(await until(auth, 'mail_dropped'), { level: 'info' })
  t.strictSame(server.mails, [])
})

t.test('a stop does not wait for a mail server that hangs, and the mail is due again', async (t) => {
  const silent = net.createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as net.AddressInfo
  const auth = await startAuth(t, { env: { ...MAIL, SMTP_URL: `smtp://127.0.0.1:${port}` } })
  const connected = new Promise((resolve) => silent.once('connection', resolve))
  // Signing up does not wait for it.
  await auth.person({ email: ADDRESS })
  await connected
  await auth.closeMail()
  t.match(await rowsOf(auth), [{ done_at: null, attempts: 1 }])
  t.strictSame(eventsOf(auth), [])
})
