import type { MailServer } from '@latchkey/testing/mail-server'
import t, { type Test } from 'tap'
import { type Auth, PASSWORD, startAuth } from './app.ts'
import { startWithMail, untilGone } from './mail.ts'

const NEW = 'staple of another kind'
const ROUNDS = 10

/** Two instances on one database. */
async function start(t: Test, env: Record<string, string> = {}) {
  const { server, auth: first } = await startWithMail(t, { env })
  const { DATABASE_URL, MAIL_FROM } = first.config
  const second = await startAuth(t, { env: { MAIL_FROM, SMTP_URL: server.url, ...env, DATABASE_URL } })
  return { server, first, second }
}

/** How many answers have each status. */
function statuses(answers: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** The same request so many times at once, at both instances. */
const storm = (at: readonly Auth[], times: number, line: string, body: object) =>
  Promise.all(Array.from({ length: times }, (_, i) => (at[i % at.length] as Auth).send(line, { body })))

async function resetCode(auth: Auth, server: MailServer, email: string): Promise<string> {
  await auth.send('POST /forgot-password', { body: { email } })
  const { code } = await server.take(email, 'Set a new password')
  return code
}

t.test('of twenty requests with one code one succeeds, at two instances', async (t) => {
  const { server, first, second } = await start(t)
  for (let round = 0; round < ROUNDS; round += 1) {
    const { email } = await first.person()
    const { code } = await server.take(email)
    t.strictSame(statuses(await storm([first, second], 20, 'POST /verify-email', { email, code })), { 204: 1, 400: 19 })
    const reset = { email, code: await resetCode(first, server, email), new_password: NEW }
    t.strictSame(statuses(await storm([first, second], 20, 'POST /reset-password', reset)), { 204: 1, 400: 19 })
  }
})

t.test('a reset beside a change of the password: one of them, and no older session lives', async (t) => {
  const { server, first, second } = await start(t)
  for (let round = 0; round < ROUNDS; round += 1) {
    const ada = await first.person()
    const code = await resetCode(first, server, ada.email)
    const change = { current_password: PASSWORD, new_password: 'third of another kind' }
    const [reset, changed, ...logins] = await Promise.all([
      second.send('POST /reset-password', { body: { email: ada.email, code, new_password: NEW } }),
      first.send('POST /change-password', { body: change, token: ada.access_token }),
      ...Array.from({ length: 4 }, () => second.send('POST /login', { body: { email: ada.email, password: PASSWORD } }))
    ])
    t.strictSame([reset?.status, changed?.status].filter((status) => (status ?? 500) < 300).length, 1)
    const tokens = [ada, ...logins.map(({ body }) => body)].flatMap(({ refresh_token }) => refresh_token ?? [])
    const refreshed = await Promise.all(tokens.map((token) => first.send('POST /refresh-token', { token })))
    t.strictSame(new Set(refreshed.map(({ status }) => status)), new Set([401]))
    t.strictSame(await first.database.query('SELECT FROM codes'), [])
  }
})

t.test('a deleted account leaves no mail and no code, whatever is on its way', async (t) => {
  const { server, first, second } = await start(t)
  for (let round = 0; round < ROUNDS; round += 1) {
    const ada = await first.person()
    const code = await resetCode(first, server, ada.email)
    await Promise.all([
      first.send('DELETE /me', { token: ada.access_token, body: { current_password: PASSWORD } }),
      second.send('POST /reset-password', { body: { email: ada.email, code, new_password: NEW } }),
      second.send('POST /forgot-password', { body: { email: ada.email } }),
      first.send('POST /verify-email/resend', { body: { email: ada.email } })
    ])
    // Unless the reset was first: then the token is dead, and so the account lives.
    const [user] = await first.database.query<{ deleted_at: Date | null }>(
      'SELECT deleted_at FROM users WHERE id = $1',
      [ada.id]
    )
    if (!user?.deleted_at) continue
    await untilGone(first, 'SELECT FROM mail_requests')
    const left = 'SELECT user_id FROM mails WHERE user_id = $1 UNION ALL SELECT user_id FROM codes WHERE user_id = $1'
    t.strictSame(await first.database.query(left, [ada.id]), [])
  }
})

t.test('two accounts that move to one address: one gets it, the other is told', async (t) => {
  const { server, first, second } = await start(t)
  for (let round = 0; round < ROUNDS; round += 1) {
    const email = `wanted${round}@example.com`
    const people = [await first.person(), await first.person()]
    const wishes: { token: string; code: string }[] = []
    for (const { access_token: token } of people) {
      const asked = await first.send('PUT /update-email', { token, body: { email, current_password: PASSWORD } })
      t.equal(asked.status, 202)
      wishes.push({ token, code: (await server.take(email)).code })
    }
    const moved = await Promise.all(
      wishes.map(({ token, code }, i) =>
        (i ? first : second).send('POST /verify-email', { token, body: { email, code } })
      )
    )
    t.strictSame(statuses(moved), { 204: 1, 409: 1 })
  }
})

t.test(
  'fifty sign-ups at once of a free and of a taken address answer alike, and make three mails and one',
  async (t) => {
    const { server, first, second } = await start(t, { REQUIRE_VERIFIED_EMAIL: 'on' })
    const signUp = (email: string) => ({ email, username: 'Ada', password: PASSWORD })
    await first.send('POST /signup', { body: signUp('taken@example.com') })
    const { code } = await server.take('taken@example.com')
    await first.send('POST /verify-email', { body: { email: 'taken@example.com', code } })
    const answers = await Promise.all(
      ['free@example.com', 'taken@example.com'].map((email) =>
        storm([first, second], 50, 'POST /signup', signUp(email))
      )
    )
    t.strictSame(answers.map(statuses), [{ 202: 50 }, { 202: 50 }])
    await untilGone(first, 'SELECT FROM mail_requests')
    const mails = await first.database.query('SELECT purpose, count(*)::int FROM mails GROUP BY 1 ORDER BY 1')
    t.strictSame(mails, [
      { purpose: 'address_taken', count: 1 },
      { purpose: 'sign_up', count: 3 }
    ])
    t.equal((await first.database.query('SELECT FROM signups')).length, 3)
    const codes = [1, 2, 3].map(() => server.take('free@example.com'))
    const tries = (await Promise.all(codes)).flatMap(({ code }) => [code, code, code])
    const entered = await Promise.all(
      tries.map((code, i) =>
        (i % 2 ? first : second).send('POST /verify-email', { body: { email: 'free@example.com', code } })
      )
    )
    t.strictSame(statuses(entered), { 204: 1, 400: 8 })
    t.equal((await first.database.query('SELECT FROM signups')).length, 0)
  }
)
