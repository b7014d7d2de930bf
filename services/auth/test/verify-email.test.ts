import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { type Auth, PASSWORD, startAuth } from './app.ts'
import { settle, startWithMail } from './mail.ts'

const NEW = 'staple of another kind'

const verify = (auth: Auth, email: string, code: string, token?: string) =>
  auth.send('POST /verify-email', { body: { email, code }, token })

t.test('with REQUIRE_VERIFIED_EMAIL there is no account before its code was entered', async (t) => {
  const { server, auth } = await startWithMail(t, { env: { REQUIRE_VERIFIED_EMAIL: 'on' } })
  const ada = { email: 'ada@example.com', password: PASSWORD }
  t.match(await auth.send('POST /signup', { body: { ...ada, username: 'Ada' } }), { status: 202, body: '' })
  const { code } = await server.take(ada.email, 'Confirm')
  isProblem(t, await auth.send('POST /login', { body: ada }), 'invalid_credentials')
  t.equal((await verify(auth, ada.email, code)).status, 204)
  t.match(await auth.send('POST /login', { body: ada }), { status: 200, body: { username: 'Ada' } })
  t.match(await auth.send('POST /signup', { body: { ...ada, username: 'Again' } }), { status: 202, body: '' })
  t.match((await server.take(ada.email)).subject, 'You have an account')
  t.equal((await auth.send('POST /login', { body: ada })).status, 200, 'and nothing was changed')
})

t.test('a sign-up whose mail was lost is mailed again', async (t) => {
  const { server, auth } = await startWithMail(t, { env: { REQUIRE_VERIFIED_EMAIL: 'on' } })
  const email = 'ada@example.com'
  await auth.send('POST /signup', { body: { email, username: 'Ada', password: PASSWORD } })
  const lost = await server.take(email)
  await settle(auth)
  t.match(await auth.send('POST /verify-email/resend', { body: { email: 'ADA@example.com' } }), {
    status: 202,
    body: ''
  })
  const { code } = await server.take(email)
  isProblem(
    t,
    await verify(auth, email, lost.code),
    'invalid_code',
    [],
    'a new mail replaces the code of the older one'
  )
  t.equal((await verify(auth, email, code)).status, 204)
})

t.test(
  'an account from before logs in after its address is verified, and says so after the right password only',
  async (t) => {
    const { server, auth } = await startWithMail(t)
    const { email, refresh_token } = await auth.person()
    const strict = await startAuth(t, {
      keys: auth.keys,
      env: {
        MAIL_FROM: 'a@example.com',
        SMTP_URL: server.url,
        DATABASE_URL: auth.config.DATABASE_URL,
        REQUIRE_VERIFIED_EMAIL: 'on'
      }
    })
    isProblem(t, await strict.send('POST /login', { body: { email, password: PASSWORD } }), 'email_unverified')
    isProblem(t, await strict.send('POST /login', { body: { email, password: NEW } }), 'invalid_credentials')
    t.equal((await strict.send('POST /refresh-token', { token: refresh_token })).status, 200)
    t.equal((await verify(strict, email, (await server.take(email)).code)).status, 204)
    t.equal((await strict.send('POST /login', { body: { email, password: PASSWORD } })).status, 200)
  }
)

t.test('a mailbox gets three mails of a kind an hour, and a reset is never locked out', async (t) => {
  const { server, auth } = await startWithMail(t)
  const { email } = await auth.person()
  await server.take(email)
  const mailed = async (path: string) => {
    await settle(auth)
    const before = server.mails.length
    await auth.send(`POST ${path}`, { body: { email } })
    await settle(auth)
    return server.mails.length - before
  }
  const resends = []
  for (let i = 0; i < 4; i += 1) resends.push(await mailed('/verify-email/resend'))
  t.strictSame(resends, [1, 1, 0, 0], 'the first one was at the sign-up')
  const resets = []
  for (let i = 0; i < 4; i += 1) resets.push(await mailed('/forgot-password'))
  t.strictSame(resets, [1, 1, 1, 0])
  const last = server.mails.at(-1)?.code
  await auth.database.query(
    "WITH m AS (UPDATE mails SET asked_at = asked_at - interval '11 minutes') UPDATE mailings SET sent_at = sent_at - interval '11 minutes'"
  )
  t.equal(await mailed('/forgot-password'), 1, 'when the code of the last one has expired')
  isProblem(
    t,
    await auth.send('POST /reset-password', { body: { email, code: last, new_password: NEW } }),
    'invalid_code'
  )
  t.equal(await mailed('/forgot-password'), 0)
  for (const unknown of ['nobody@example.com', 'NOBODY@example.com']) {
    t.match(await auth.send('POST /forgot-password', { body: { email: unknown } }), { status: 202, body: '' })
  }
  await settle(auth)
  t.equal((await auth.database.query('SELECT FROM mails WHERE user_id IS NULL')).length, 0)
})

t.test('whatever is wrong with a code, the answer is the same', async (t) => {
  const { server, auth } = await startWithMail(t)
  const ada = await auth.person()
  const eve = await auth.person()
  const { code } = await server.take(ada.email)
  const { code: evesCode } = await server.take(eve.email)
  await auth.send('POST /forgot-password', { body: { email: ada.email } })
  const reset = await server.take(ada.email)
  const wrong: Record<string, [email: string, code: string]> = {
    malformed: [ada.email, 'x'],
    empty: [ada.email, ''],
    'of somebody else': [ada.email, evesCode],
    'for another address': [eve.email, code],
    'of another purpose': [ada.email, reset.code]
  }
  const details = new Set()
  for (const [about, [email, code]] of Object.entries(wrong)) {
    const answer = await verify(auth, email, code)
    isProblem(t, answer, 'invalid_code', [], about)
    details.add(answer.body.detail)
    isProblem(
      t,
      await auth.send('POST /reset-password', {
        body: { email, code: about === 'of another purpose' ? code.slice(1) : code, new_password: NEW }
      }),
      'invalid_code',
      [],
      about
    )
  }
  t.equal(details.size, 1)
  await auth.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [ada.id])
  isProblem(t, await verify(auth, ada.email, code), 'invalid_code', [], 'disabled')
  await auth.database.query('UPDATE users SET disabled_at = NULL')
  await auth.database.query("UPDATE codes SET expires_at = now() WHERE purpose = 'verify_email' AND user_id = $1", [
    ada.id
  ])
  isProblem(t, await verify(auth, ada.email, code), 'invalid_code', [], 'expired')
  t.equal((await verify(auth, eve.email, evesCode)).status, 204, 'wrong tries used nothing up')
})

t.test('a refused password keeps the code of a reset, and a change of the password ends it', async (t) => {
  const { server, auth } = await startWithMail(t)
  const ada = await auth.person({ email: 'ada.lovelace@example.com' })
  const forgot = async () => {
    await auth.send('POST /forgot-password', { body: { email: ada.email } })
    return (await server.take(ada.email, 'Set a new')).code
  }
  const reset = (code: string, new_password: string) =>
    auth.send('POST /reset-password', { body: { email: ada.email, code, new_password } })
  const code = await forgot()
  isProblem(t, await reset(code, 'password'), 'invalid_input', ['new_password'])
  isProblem(t, await reset(code, 'ada.lovelace@example.com'), 'invalid_input', ['new_password'])
  t.equal((await reset(code, NEW)).status, 204)
  t.match(
    await auth.database.query('SELECT email_verified FROM users'),
    [{ email_verified: true }],
    'the mailbox was shown'
  )
  const tokens = await auth.login({ email: ada.email, password: NEW })
  const late = await forgot()
  const change = { current_password: NEW, new_password: 'third of another kind' }
  t.equal((await auth.send('POST /change-password', { token: tokens.access_token, body: change })).status, 200)
  isProblem(t, await reset(late, NEW), 'invalid_code')
})

t.test('an address changes by the code of the new one and the token of the account; the old one is told', async (t) => {
  const { server, auth } = await startWithMail(t)
  const ada = await auth.person()
  const eve = await auth.person()
  const { code: old } = await server.take(ada.email)
  const ask = (email: string) =>
    auth.send('PUT /update-email', { token: ada.access_token, body: { email, current_password: PASSWORD } })
  const wrong = { email: 'new@example.com', current_password: NEW }
  isProblem(t, await auth.send('PUT /update-email', { token: ada.access_token, body: wrong }), 'invalid_credentials')
  t.match(await ask('typo@example.com'), { status: 202, body: '' })
  const { code: typo } = await server.take('typo@example.com')
  t.match((await server.take(ada.email)).text, 'change your password now')
  await ask('new@example.com')
  const { code } = await server.take('new@example.com')
  isProblem(t, await verify(auth, 'typo@example.com', typo, ada.access_token), 'invalid_code', [], 'an earlier wish')
  isProblem(t, await verify(auth, 'new@example.com', code), 'missing_token')
  isProblem(t, await verify(auth, 'new@example.com', code, eve.access_token), 'invalid_code')
  t.equal((await verify(auth, 'new@example.com', code, ada.access_token)).status, 204)
  t.match((await server.take(ada.email, 'was changed')).text, 'another address now')
  t.match(await auth.send('GET /me', { token: ada.access_token }), {
    body: { email: 'new@example.com', email_verified: true }
  })
  isProblem(t, await verify(auth, ada.email, old), 'invalid_code', [], 'a code for the old address is dead')
  t.match(await ask(eve.email), { status: 202, body: '' }, 'a taken address is answered alike')
  t.match((await server.take(eve.email, 'You have an account')).text, 'nothing was changed')
  t.match(await ask('one-more@example.com'), { status: 429, headers: { 'retry-after': /^\d+$/ } })
})
