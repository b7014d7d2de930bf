import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { grantRole } from '../src/administration/actions.ts'
import { type Auth, ISSUER, startAuth } from './app.ts'
import { OTHERS } from './foreign-hashes.ts'
import { directPool } from './hash-pool.ts'
import { startWithMail } from './mail.ts'

const MAIL = { MAIL_FROM: 'no-reply@example.com', PUBLIC_URL: 'https://app.example.com' }
const PASSWORD = 'a bench by the river'
const [{ hash: ROOT_HASH, password: ROOT_PASSWORD }] = OTHERS

/** The service with mail, and an administrator. */
async function start(t: Test, env: Record<string, string> = {}) {
  const { server, auth } = await startWithMail(t, { env: { ...MAIL, ...env } })
  const root = await administrator(auth)
  const asRoot = (line: string, body?: unknown) => auth.send(line, { token: root.token, body })
  const login = (email: string, password: string) => auth.send('POST /login', { body: { email, password } })
  return { ...auth, server, root, asRoot, login }
}

let administrators = 0

// Not by POST /signup, which some tests have closed.
async function administrator({ database, operator, send }: Auth) {
  administrators += 1
  const email = `root${administrators}@example.com`
  await database.query(
    `INSERT INTO users (id, email, username, password_hash, token_hash, created_at)
     VALUES (gen_random_uuid(), $1, 'Root', $2, sha256('x'), now())`,
    [email, ROOT_HASH]
  )
  const [{ id = '' } = {}] = await database.query<{ id: string }>('SELECT id FROM users WHERE email = $1', [email])
  await grantRole(operator, { id }, 'admin')
  const { body } = await send('POST /login', { body: { email, password: ROOT_PASSWORD, resource: ISSUER } })
  return { id, email, token: body.access_token as string }
}

t.test('who is invited chooses a password with the code of the mail, and is verified', async (t) => {
  const { asRoot, server, send, login, lines, root } = await start(t)
  const invited = { email: 'Ada@example.com', username: ' Ada ', roles: ['editor'] }
  const made = await asRoot('POST /users', invited)
  const { id } = made.body
  t.match(made, {
    status: 201,
    body: {
      id: String,
      email: 'Ada@example.com',
      username: 'Ada',
      email_verified: false,
      roles: ['user', 'editor'],
      disabled_at: null
    }
  })
  const mail = await server.take('Ada@example.com', 'You are invited to app.example.com')
  t.match(mail.text, 'within 7 days')
  t.equal(mail.link, `https://app.example.com/reset-password#email=Ada%40example.com&code=${mail.code}`)
  isProblem(t, await login('ada@example.com', ''), 'invalid_credentials', [], 'nothing is no password')
  isProblem(t, await login('ada@example.com', PASSWORD), 'invalid_credentials')

  const body = { email: 'ada@example.com', code: mail.code, new_password: PASSWORD }
  isProblem(t, await send('POST /verify-email', { body: { email: body.email, code: body.code } }), 'invalid_code')
  t.equal((await send('POST /reset-password', { body })).status, 204)
  const { body: tokens } = await login('ada@example.com', PASSWORD)
  t.match((await send('GET /me', { token: tokens.access_token })).body, {
    id,
    email_verified: true,
    roles: ['user', 'editor']
  })
  isProblem(t, await send('POST /reset-password', { body }), 'invalid_code', [], 'the code works once')
  isProblem(t, await asRoot(`POST /users/${id}/invitation`), 'not_found', [], 'there is nothing to repeat')
  t.match(
    lines.find(({ event }) => event === 'user_invited'),
    { level: 'info', user: id, by: root.id }
  )
  t.strictSame(server.mails, [], 'a first password is no change that the owner is told of')
})

t.test('an invitation is mailed again; the new code replaces the old one, up to three an hour', async (t) => {
  const { asRoot, server, send, login, database } = await start(t)
  const email = 'ada@example.com'
  const { id } = (await asRoot('POST /users', { email, username: 'Ada' })).body
  const first = await server.take(email)
  t.match(await asRoot(`POST /users/${id.toUpperCase()}/invitation`), { status: 202, body: '' })
  const second = await server.take(email)
  t.not(first.code, second.code)
  const reset = (code: string) => send('POST /reset-password', { body: { email, code, new_password: PASSWORD } })
  isProblem(t, await reset(first.code), 'invalid_code')
  // As by a mail of POST /verify-email/resend: the user still has no password.
  await database.query('UPDATE users SET email_verified = true WHERE id = $1', [id])
  t.equal((await asRoot(`POST /users/${id}/invitation`)).status, 202)
  const third = await server.take(email)
  const refused = await asRoot(`POST /users/${id}/invitation`)
  isProblem(t, refused, 'too_many_requests')
  between(t, Number(refused.headers['retry-after']), { least: 3000, most: 3600 })
  t.equal((await reset(third.code)).status, 204)
  t.equal((await login(email, PASSWORD)).status, 200)
})

t.test('who has lost the invitation asks for a new password, as everybody does', async (t) => {
  const { asRoot, server, send, login } = await start(t)
  const email = 'ada@example.com'
  await asRoot('POST /users', { email, username: 'Ada' })
  const invitation = await server.take(email)
  await send('POST /forgot-password', { body: { email } })
  const { code } = await server.take(email, 'Set a new password')
  t.equal((await send('POST /reset-password', { body: { email, code, new_password: PASSWORD } })).status, 204)
  t.equal((await login(email, PASSWORD)).status, 200)
  const late = { email, code: invitation.code, new_password: 'another bench' }
  isProblem(t, await send('POST /reset-password', { body: late }), 'invalid_code', [], 'a reset kills the invitation')
})

t.test('a login without a password takes the work of a wrong one', async (t) => {
  const hashPool = directPool()
  const auth = await startAuth(t, { hashPool, cost: 5 })
  await auth.person({ email: 'known@example.com' })
  await auth.database.query(
    "INSERT INTO users (id, email, username, token_hash, created_at) VALUES (gen_random_uuid(), 'none@example.com', 'None', sha256('x'), now())"
  )
  const work = async (email: string) => {
    hashPool.jobs.length = 0
    isProblem(t, await auth.send('POST /login', { body: { email, password: 'wrong' } }), 'invalid_credentials')
    return hashPool.jobs.map(({ op, cost }) => ({ op, cost }))
  }
  const known = await work('known@example.com')
  t.strictSame(known, [{ op: 'verify', cost: 5 }])
  t.strictSame(await work('none@example.com'), known)
  t.strictSame(await work('nobody@example.com'), known)
})

t.test('only administrators invite, each address once, and no disabled user again', async (t) => {
  const { asRoot, send, person, server } = await start(t)
  const ada = await person()
  const invited = { email: 'new@example.com', username: 'New' }
  isProblem(t, await send('POST /users', { token: ada.access_token, body: invited }), 'insufficient_scope')
  isProblem(t, await send('POST /users', { body: invited }), 'missing_token')
  isProblem(t, await asRoot('POST /users', { ...invited, email: ada.email.toUpperCase() }), 'email_taken')
  isProblem(t, await asRoot('POST /users', { email: 'x', username: '' }), 'invalid_input', ['email', 'username'])
  isProblem(t, await asRoot('POST /users', { ...invited, password: PASSWORD }), 'invalid_input', ['password'])
  isProblem(t, await asRoot(`POST /users/${ada.id}/invitation`), 'not_found')
  isProblem(t, await asRoot(`POST /users/${crypto.randomUUID()}/invitation`), 'not_found')
  const answers = await Promise.all(Array.from({ length: 10 }, () => asRoot('POST /users', invited)))
  t.strictSame(answers.map(({ status }) => status).sort(), [201, ...Array(9).fill(409)], 'ten at once make one account')
  const id = answers.find(({ status }) => status === 201)?.body.id
  const { code } = await server.take(invited.email)
  t.equal((await asRoot(`POST /users/${id}/disable`)).status, 200)
  isProblem(t, await asRoot(`POST /users/${id}/invitation`), 'account_disabled')
  const body = { email: invited.email, code, new_password: PASSWORD }
  isProblem(
    t,
    await send('POST /reset-password', { body }),
    'invalid_code',
    [],
    'nor does the code of a disabled one work'
  )
})

t.test('an administrator who loses the role meanwhile invites nobody', async (t) => {
  const { asRoot, root, database } = await start(t)
  const other = await database.transaction(async (connection) => {
    await connection.query("UPDATE users SET roles = '{user}' WHERE id = $1", [root.id])
    const answer = asRoot('POST /users', { email: 'new@example.com', username: 'New' })
    // The request has passed the guard, and waits for the row.
    for (;;) {
      const [{ waits = false } = {}] = await database.query<{ waits: boolean }>(
        "SELECT count(*) > 0 AS waits FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
      )
      if (waits) return { answer }
    }
  })
  isProblem(t, await other.answer, 'insufficient_scope')
  t.strictSame(await database.query("SELECT FROM users WHERE email = 'new@example.com'"), [])
})

t.test('SIGNUP says who may have an account', async (t) => {
  const body = { email: 'new@example.com', username: 'New', password: PASSWORD }
  const invitation = { email: 'guest@example.com', username: 'Guest' }
  const invited = await start(t, { SIGNUP: 'invited' })
  isProblem(t, await invited.send('POST /signup', { body }), 'signup_closed')
  isProblem(t, await invited.send('POST /signup', { body: {} }), 'signup_closed', [], 'whatever is sent')
  t.equal((await invited.asRoot('POST /users', invitation)).status, 201)
  const closed = await start(t, { SIGNUP: 'closed' })
  isProblem(t, await closed.send('POST /signup', { body }), 'signup_closed')
  isProblem(t, await closed.asRoot('POST /users', invitation), 'signup_closed')
  isProblem(t, await closed.asRoot(`POST /users/${closed.root.id}/invitation`), 'signup_closed')
  isProblem(t, await closed.send('POST /users', { body: invitation }), 'missing_token', [], 'strangers learn nothing')
})

t.test('without mail nobody is invited, and the answer says why', async (t) => {
  const auth = await startAuth(t)
  const root = await administrator(auth)
  const answer = await auth.send('POST /users', { token: root.token, body: { email: 'a@example.com', username: 'A' } })
  isProblem(t, answer, 'signup_closed')
  t.match(answer.body.detail, 'SMTP_URL is not set')
})
