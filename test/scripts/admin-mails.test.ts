// What npm run admin says about mails that do not arrive, as a process beside a service that sends them.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { smtpError, startMailServer } from '@latchkey/testing/mail-server'
import t from 'tap'
import { startAuth } from '../../services/auth/test/app.ts'
import { buildFirst } from './build-first.ts'
import { plainEnvironment } from './plain-environment.ts'

const ADMIN = fileURLToPath(new URL('../../services/auth/dist/admin.js', import.meta.url))

await buildFirst()
let refused = true
const server = await startMailServer(t, { refuse: () => (refused ? smtpError(550, '5.1.1 nobody here') : undefined) })
const auth = await startAuth(t, { env: { SMTP_URL: server.url, MAIL_FROM: 'no-reply@example.com' } })

function admin(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = plainEnvironment({ DATABASE_URL: auth.config.DATABASE_URL, NODE_ENV: 'development' })
  return new Promise((resolve) => {
    execFile(process.execPath, [ADMIN, ...words], { env }, (error, out, err) => {
      resolve({ code: Number(error?.code ?? 0), out, err })
    })
  })
}

/** Waits until a mail has this outcome, which is written after the server has it. */
async function until(outcome: string): Promise<void> {
  while ((await auth.database.query('SELECT FROM mails WHERE outcome = $1', [outcome])).length === 0);
}

const TIME = String.raw`\d{4}-\d\d-\d\dT\S+Z`

t.test('a mail that was refused is listed with its codes, and repeated', async (t) => {
  const ada = await auth.person()
  await until('refused')
  const listed = await admin('mails', ada.email.toUpperCase())
  t.match(listed, { code: 0, err: '' })
  t.match(
    listed.out,
    new RegExp(
      `^[\\da-f-]{36} verify_email, asked for at ${TIME}, refused at ${TIME}, 1 attempt, \\S+ DATA 550 5\\.1\\.1\\n$`
    )
  )
  const id = listed.out.slice(0, 36)

  refused = false
  t.match(await admin('repeat-mail', id), { code: 0, out: /^it is tried again as [\da-f-]{36}\n$/ })
  const { code } = await server.take(ada.email)
  await until('sent')
  t.equal((await auth.send('POST /verify-email', { body: { email: ada.email, code } })).status, 204)
  t.match(
    (await admin('mails', ada.email)).out,
    /^\S+ verify_email, .+, sent at .+, 1 attempt\n\S+ verify_email, .+, refused at /
  )
  for (const none of [crypto.randomUUID(), 'x', (await admin('mails', ada.email)).out.slice(0, 36)]) {
    t.match(await admin('repeat-mail', none), { code: 1, out: '', err: /^admin: no mail \S+ was refused or late/ })
  }
  t.match(await admin('mails', 'nobody@example.com'), {
    code: 0,
    out: 'no mail of the last week is for nobody@example.com\n'
  })
})

t.test('a mail that waits is listed, and an address is verified without its code', async (t) => {
  const bob = await auth.person()
  const { code } = await server.take(bob.email)
  const userId = bob.id
  await auth.database.query(
    `INSERT INTO mails (id, purpose, user_id, asked_at, due_at, give_up_at, sweep_on)
     VALUES (gen_random_uuid(), 'password_changed', $1, now(), now() + interval '1 hour', now() + interval '1 day', now())`,
    [userId]
  )
  t.match(
    (await admin('mails', bob.email)).out,
    new RegExp(`^\\S+ password_changed, asked for at ${TIME}, waits until ${TIME}, 0 attempts\\n`)
  )
  t.match(await admin('verify', bob.email), { code: 0, out: `${bob.email} (${bob.id}) is verified\n` })
  t.match((await auth.send('GET /me', { token: bob.access_token })).body, { email_verified: true })
  t.equal((await auth.send('POST /verify-email', { body: { email: bob.email, code } })).status, 400, 'the code is dead')
  t.match(await admin('verify', 'nobody@example.com'), { code: 1, err: /^admin: no account has the address nobody@/ })
})
