import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { PASSWORD } from './app.ts'
import { startWithMail } from './mail.ts'

const MAIL = { MAIL_FROM: 'Example <no-reply@example.com>', PUBLIC_URL: 'https://app.example.com/' }
const NEW = 'staple of another kind'

t.test('who signs up gets a code, and the code verifies the address', async (t) => {
  const { server, auth } = await startWithMail(t, { env: MAIL })
  const { send, person } = auth
  const ada = await person({ email: 'Ada@example.com' })
  const mail = await server.take('Ada@example.com')
  t.match(mail.subject, 'Confirm your address for app.example.com')
  t.equal(mail.link, `https://app.example.com/verify-email#email=Ada%40example.com&code=${mail.code}`)
  t.match(await send('GET /me', { token: ada.access_token }), { status: 200, body: { email_verified: false } })
  const body = { email: 'ada@EXAMPLE.com', code: mail.code.toLowerCase() }
  t.equal((await send('POST /verify-email', { body })).status, 204)
  t.match(await send('GET /me', { token: ada.access_token }), { status: 200, body: { email_verified: true } })
  isProblem(t, await send('POST /verify-email', { body }), 'invalid_code')
})

t.test('a reset sets a new password, ends every session and logs nobody in', async (t) => {
  const { server, auth } = await startWithMail(t, { env: MAIL })
  const { send, person } = auth
  const { email, refresh_token } = await person()
  await server.take(email)
  t.match(await send('POST /forgot-password', { body: { email } }), { status: 202, body: '' })
  const { code, link } = await server.take(email, 'Set a new password')
  t.equal(link, `https://app.example.com/reset-password#email=${encodeURIComponent(email)}&code=${code}`)
  const body = { email, code, new_password: NEW }
  t.match(await send('POST /reset-password', { body }), { status: 204, body: '' })
  isProblem(t, await send('POST /refresh-token', { token: refresh_token }), 'invalid_token')
  isProblem(t, await send('POST /login', { body: { email, password: PASSWORD } }), 'invalid_credentials')
  t.equal((await send('POST /login', { body: { email, password: NEW } })).status, 200)
  isProblem(t, await send('POST /reset-password', { body }), 'invalid_code')
  await server.take(email, 'was changed')
})
