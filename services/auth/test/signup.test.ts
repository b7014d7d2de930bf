import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { PASSWORD, startAuth } from './app.ts'

const auth = await startAuth(t)
const signUp = (changes: object) =>
  auth.send('POST /signup', { body: { email: 'ada@example.com', username: 'Ada', password: PASSWORD, ...changes } })

t.test('a new database knows nobody', async (t) => {
  t.strictSame(await auth.database.query('SELECT id FROM users'), [])
})

t.test('a person signs up and is shown the account, which keeps the address as it was sent', async (t) => {
  const begin = Date.now()
  const { status, headers, body } = await signUp({ email: 'Ada@Example.com', username: '  Ada Lovelace ' })
  t.equal(status, 201)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  const { id, created_at, ...rest } = body
  t.strictSame(rest, { email: 'Ada@Example.com', username: 'Ada Lovelace', email_verified: false, roles: ['user'] })
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  between(t, Date.parse(created_at), { least: begin - 60_000, most: begin + 60_000 }, 'created now')
  t.strictSame(Object.keys(body), ['id', 'email', 'username', 'email_verified', 'roles', 'created_at'])

  const [row] = await auth.database.query('SELECT *, length(token_hash) AS bytes FROM users WHERE id = $1', [id])
  t.match(row, { email: 'Ada@Example.com', epoch: 0, roles: ['user'], disabled_at: null, deleted_at: null, bytes: 32 })
  t.match(row, { password_hash: /^\$2b\$04\$.{53}$/ }, 'the password is kept as bcrypt with its cost')
})

t.test('each account has a token hash of its own', async (t) => {
  await signUp({ email: 'one@example.com' })
  await signUp({ email: 'two@example.com' })
  const rows = await auth.database.query<{ token_hash: Buffer }>('SELECT token_hash FROM users')
  t.equal(new Set(rows.map(({ token_hash }) => token_hash.toString('hex'))).size, rows.length)
})

t.test('an address is taken in every letter case, and the account stays as it was', async (t) => {
  await signUp({ email: 'Taken@Example.com', username: 'First' })
  for (const email of ['Taken@Example.com', 'taken@example.com', 'TAKEN@EXAMPLE.COM']) {
    isProblem(
      t,
      await signUp({ email, username: 'Second', password: 'another quiet harbour' }),
      'email_taken',
      [],
      email
    )
  }
  const rows = await auth.database.query("SELECT username FROM users WHERE lower(email) = 'taken@example.com'")
  t.strictSame(rows, [{ username: 'First' }])
  await auth.login({ email: 'taken@example.com', password: PASSWORD })
})

const LONGEST_LABEL = 'd'.repeat(63)
const LONGEST = `${'l'.repeat(64)}@${LONGEST_LABEL}.${LONGEST_LABEL}.${'d'.repeat(61)}`

t.test('addresses of RFC 5321 are taken', async (t) => {
  const addresses = [
    'a@b',
    "o'neil+news=1/2?{x}|~@mail.example.co.uk",
    'a.b.c@1and1.com',
    '1@2.3',
    '!#$%&*^_`@x-y.z',
    LONGEST
  ]
  t.equal(LONGEST.length, 254)
  for (const email of addresses) t.match(await signUp({ email }), { status: 201, body: { email } }, email)
})

t.test('what is no address, or hides a second one, is refused', async (t) => {
  const refused = [
    '',
    'ada',
    '@example.com',
    'ada@',
    'a@b@example.com',
    'ada@example..com',
    'ada@.com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@exam_ple.com',
    'ada@[127.0.0.1]',
    `ada@${'d'.repeat(64)}.com`,
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
    `${'l'.repeat(65)}@example.com`,
    `${LONGEST}d`,
    'ada @example.com',
    ' ada@example.com',
    'ada@example.com ',
    'ada@example.com\n',
    'a@b\r\nBcc: eve@example.com',
    'ada\u0000@example.com',
    '"ada"@example.com',
    '"x@evil" @good.example',
    'ada(comment)@example.com',
    'Ada <ada@example.com>',
    'ada@example.com,eve@example.com',
    'ada\uff20example.com',
    'ada@exämple.com',
    'ädä@example.com',
    'ada@example.com\u200b'
  ]
  for (const email of refused) isProblem(t, await signUp({ email }), 'invalid_input', ['email'], JSON.stringify(email))
})

t.test('all that is wrong is said at once', async (t) => {
  const everything = await signUp({ email: 'no address', username: 5, password: null, role: 'admin' })
  isProblem(t, everything, 'invalid_input', ['email', 'username', 'password', 'role'])
  isProblem(t, await signUp({ username: ' ', password: 'short' }), 'invalid_input', ['username', 'password'])
})

t.test('a refused password is said to be, with the reason, and makes no account', async (t) => {
  const refused = {
    'must have at least 8 characters': 'seven77',
    'must have at most 72 bytes (letters beyond ASCII have more than one)': 'é'.repeat(37),
    'must not be one of the common passwords': 'password1',
    'must not be your own name or address, or the name of this service': 'Eve12345'
  }
  for (const [message, password] of Object.entries(refused)) {
    const answer = await signUp({ email: 'eve@example.com', username: 'Eve12345', password })
    isProblem(t, answer, 'invalid_input', ['password'], message)
    t.strictSame(answer.body.errors, [{ field: 'password', message }])
  }
  t.strictSame(await auth.database.query("SELECT id FROM users WHERE email = 'eve@example.com'"), [])
})

t.test('PASSWORD_MIN_LENGTH asks for more', async (t) => {
  const strict = await startAuth(t, { env: { PASSWORD_MIN_LENGTH: '15' } })
  const answers = ['fourteen chars', 'fifteen  chars!'].map((password, i) =>
    strict.send('POST /signup', { body: { email: `p${i}@example.com`, username: 'P', password } })
  )
  const [short, long] = await Promise.all(answers)
  t.match(short, {
    status: 400,
    body: { errors: [{ field: 'password', message: 'must have at least 15 characters' }] }
  })
  t.match(long, { status: 201 })
})
