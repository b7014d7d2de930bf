// What npm run admin -- invite says and how it ends, as a process beside a service that sends the mail.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startMailServer } from '@latchkey/testing/mail-server'
import t from 'tap'
import { startAuth } from '../../services/auth/test/app.ts'
import { buildFirst } from './build-first.ts'
import { plainEnvironment } from './plain-environment.ts'

const ADMIN = fileURLToPath(new URL('../../services/auth/dist/admin.js', import.meta.url))

await buildFirst()
const server = await startMailServer(t)
const env = { SMTP_URL: server.url, MAIL_FROM: 'no-reply@example.com', SIGNUP: 'closed' }
const auth = await startAuth(t, { env })
const { DATABASE_URL } = auth.config

function admin(
  words: string[],
  more: Record<string, string> = {}
): Promise<{ code: number; out: string; err: string }> {
  const own = plainEnvironment({ DATABASE_URL, NODE_ENV: 'production', SMTP_URL: server.url, ...more })
  return new Promise((resolve) => {
    execFile(process.execPath, [ADMIN, ...words], { env: own }, (error, out, err) => {
      resolve({ code: Number(error?.code ?? 0), out, err })
    })
  })
}

t.test(
  'who is invited from the command line gets the mail of a running service, also where sign-up is closed',
  async (t) => {
    const end = await admin(['invite', 'ada@example.com', ' Ada Lovelace'])
    t.match(end, {
      code: 0,
      out: /^ada@example\.com \([\da-f-]{36}\) is invited; npm run admin -- mails ada@example\.com /
    })
    t.match(JSON.parse(end.err), { service: 'admin', event: 'user_invited', user: String })
    const { code } = await server.take('ada@example.com', 'You are invited')
    const body = { email: 'ada@example.com', code, new_password: 'a bench by the river' }
    t.equal((await auth.send('POST /reset-password', { body })).status, 204)
    const tokens = await auth.login({ email: 'ada@example.com', password: 'a bench by the river' })
    t.match((await auth.send('GET /me', { token: tokens.access_token })).body, {
      username: 'Ada Lovelace',
      email_verified: true
    })
    t.match(await admin(['invite', 'ada@example.com']), { code: 1, out: '', err: /^admin: This user has a password/ })
  }
)

t.test('an invitation is repeated by the same command; the name is optional', async (t) => {
  t.match(await admin(['invite', 'bob@example.com']), { code: 0 })
  const first = await server.take('bob@example.com')
  t.match(await admin(['invite', 'BOB@example.com']), { code: 0, out: /^bob@example\.com \(\S+\) is invited again\n$/ })
  t.not((await server.take('bob@example.com')).code, first.code)
})

t.test('what cannot be done is said', async (t) => {
  t.match(await admin(['invite', 'nobody']), { code: 1, out: '', err: 'admin: nobody is no email address\n' })
  t.match(await admin(['invite', 'eve@example.com', ' ']), {
    code: 1,
    err: /^admin: the username must have a character/
  })
  t.match(await admin(['invite', 'eve@example.com'], { SMTP_URL: '' }), { code: 1, err: /SMTP_URL is not set/ })
  t.match(await admin(['invite']), { code: 1, err: /usage: npm run admin/ })
  t.match(await admin(['invite', 'a@example.com', 'b', 'c']), { code: 1, err: /usage: npm run admin/ })
  t.strictSame(await auth.database.query("SELECT FROM users WHERE email LIKE 'eve@%'"), [])
})
