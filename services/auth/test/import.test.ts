import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { addAccounts, checkFile, type Telling } from '../src/import/import-file.ts'
import { startAuth } from './app.ts'
import { OTHERS } from './foreign-hashes.ts'

// One more than the hashes from elsewhere have.
const auth = await startAuth(t, { cost: 5 })
const { database, operator, send } = auth

const [{ hash: HASH, password: PASSWORD }] = OTHERS
const person = (email: string, more: object = {}) => ({ email, username: 'Ada', password_hash: HASH, ...more })

/** Writes a file of these lines; an object is written as JSON. */
async function fileOf(t: Test, lines: readonly (string | Buffer | object)[]): Promise<string> {
  const file = path.join(t.testdir(), 'people.jsonl')
  const bytes = lines.map((line) =>
    typeof line === 'string' || Buffer.isBuffer(line) ? Buffer.from(line) : Buffer.from(JSON.stringify(line))
  )
  await writeFile(file, Buffer.concat(bytes.flatMap((line) => [line, Buffer.from('\n')])))
  return file
}

/** What a check says of these lines: the refused ones, as in `2: email is required`. */
async function refusals(t: Test, lines: readonly (string | Buffer | object)[]): Promise<string[]> {
  const said: string[] = []
  await checkFile(database, await fileOf(t, lines), tellingInto(said))
  return said
}

const tellingInto = (said: string[]): Telling => ({
  refused: (line, fault) => said.push(`${line}: ${fault}`),
  progress: () => {}
})

async function importAll(t: Test, lines: readonly (string | Buffer | object)[]): Promise<void> {
  const file = await fileOf(t, lines)
  const said: string[] = []
  const { accounts } = await checkFile(database, file, tellingInto(said))
  t.strictSame(said, [])
  await addAccounts(operator, file, { accounts, tell: tellingInto(said) })
}

const login = (email: string, password = PASSWORD) => send('POST /login', { body: { email, password } })
const rowOf = async (email: string) => (await database.query('SELECT * FROM users WHERE email = $1', [email]))[0]

t.test('hashes that other programs made let their users in, and are renewed', async (t) => {
  const lines = OTHERS.map(({ hash }, place) => person(`other${place}@example.com`, { password_hash: hash }))
  await importAll(t, lines)
  for (const [place, { maker, password }] of OTHERS.entries()) {
    const email = `other${place}@example.com`
    isProblem(t, await login(email, `${password}!`), 'invalid_credentials', [], maker)
    t.match(await login(email, password), { status: 200, body: { username: 'Ada' } }, maker)
    t.match(await rowOf(email), { password_hash: /^\$2b\$05\$/ }, `${maker}: renewed`)
    t.equal((await login(email, password)).status, 200, `${maker}: again`)
  }
})

t.test('an account is as its line says; what is missing has a default', async (t) => {
  const moment = '2021-03-04T05:06:07.5+02:00'
  const whole = { username: ' Ada\u0301 ', email_verified: true, roles: ['editor'], created_at: moment }
  const start = new Date()
  await importAll(t, [
    `\ufeff{"email":"Whole@Example.com","password_hash":"${HASH}",${JSON.stringify(whole).slice(1)}\r`,
    '  \r',
    { email: 'only@example.com', password_hash: HASH },
    {
      email: 'nulls@example.com',
      username: null,
      password_hash: HASH,
      email_verified: null,
      roles: null,
      created_at: null
    }
  ])
  t.match(await rowOf('Whole@Example.com'), {
    username: 'Adá',
    password_hash: HASH,
    email_verified: true,
    roles: ['user', 'editor'],
    created_at: new Date(moment),
    disabled_at: null
  })
  for (const name of ['only', 'nulls']) {
    const row = await rowOf(`${name}@example.com`)
    t.match(row, { username: name, email_verified: false, roles: ['user'] })
    between(t, (row as { created_at: Date }).created_at.getTime(), { least: start.getTime() }, 'created now')
  }
  const hashes = await database.query("SELECT DISTINCT token_hash FROM users WHERE email ~ '^(only|nulls|Whole)@'")
  t.equal(hashes.length, 3, 'everybody has a token hash of their own')
  isProblem(
    t,
    await send('POST /signup', { body: { email: 'whole@example.com', username: 'W', password: 'a long wait' } }),
    'email_taken'
  )
})

t.test('nobody logs in to an account whose hash is null', async (t) => {
  await importAll(t, [{ email: 'none@example.com', password_hash: null }])
  t.match(await rowOf('none@example.com'), { username: 'none', password_hash: null })
  for (const password of ['', 'null', PASSWORD]) {
    isProblem(t, await login('none@example.com', password), 'invalid_credentials', [], password)
  }
})

t.test('a line that is no account is refused with its number and reason, without its values', async (t) => {
  const good = person('x@example.com')
  const faults: [line: string | Buffer | object, reason: RegExp][] = [
    ['{', /^is not JSON$/],
    [`[${JSON.stringify(good)}]`, /^is not a JSON object$/],
    ['null', /^is not a JSON object$/],
    [Buffer.from('{"email":"caf\xe9@example.com"}', 'latin1'), /^is not UTF-8$/],
    [{ ...good, username: 'a'.repeat(70_000) }, /^is longer than 65536 bytes$/],
    ['a'.repeat(300_000), /^is longer than 65536 bytes$/],
    [{}, /^email is required; password_hash is required$/],
    [person('nobody'), /^email must be an email address/],
    [person('grüße@example.com'), /^email must be an email address/],
    [person(`${'a'.repeat(65)}@example.com`), /^email must be an email address/],
    [{ ...good, email: 5 }, /^email must be string$/],
    [{ ...good, username: 'a'.repeat(65) }, /^username must have at most 64 characters$/],
    [{ ...good, username: ' ' }, /^username must have a character/],
    [{ ...good, username: 'a\nb' }, /^username must not have line breaks/],
    [{ email: good.email }, /^password_hash is required$/],
    [{ password_hash: null }, /^email is required$/],
    [{ ...good, password_hash: 'plain' }, /^password_hash must be a bcrypt hash/],
    [
      { ...good, password_hash: HASH.replace(/^\$2.\$\d\d/, '$2b$16') },
      /^password_hash must have a cost from 4 to 15$/
    ],
    [{ ...good, email_verified: 'true' }, /^email_verified must be boolean$/],
    [{ ...good, roles: ['Admin'] }, /^roles.0 must be a word of lower-case letters$/],
    [{ ...good, roles: Array.from({ length: 17 }, (_, n) => `r${n}`) }, /^roles must be at most 16 roles/],
    [{ ...good, roles: ['admin'] }, /^roles: an administrator needs email_verified/],
    [{ ...good, created_at: '2021-03-04T05:06:07' }, /^created_at must be a time with its offset/],
    [{ ...good, created_at: '2021-02-31T05:06:07Z' }, /^created_at must be a time/],
    [{ ...good, created_at: '2999-01-01T00:00:00Z' }, /^created_at must be a time between 1970 and now$/],
    [{ ...good, created_at: '1969-12-31T23:59:59Z' }, /^created_at must be a time between 1970 and now$/],
    [{ ...good, passwordHash: 'x' }, /^passwordHash is not known here$/],
    [`{"__proto__":{},${JSON.stringify(good).slice(1)}`, /^__proto__ is not known here$/],
    [{ ...good, 'a\u202eb\u001b': 1 }, /^a\\u202eb\S+ is not known here$/]
  ]
  for (const [line, reason] of faults) {
    const [said = '', ...more] = await refusals(t, [person('before@example.com'), line, person('after@example.com')])
    t.match(said, /^2: /)
    t.match(said.slice(3), reason)
    t.notMatch(said, /\$2.\$\d|plain/)
    t.strictSame(more, [])
  }
})

t.test('an address stands once in the file, in any letter case, and belongs to no account', async (t) => {
  const ada = await auth.person({ email: 'Taken@Example.com' })
  t.strictSame(
    await refusals(t, [
      person('one@example.com'),
      person(ada.email.toUpperCase()),
      person('ONE@example.com'),
      'no JSON',
      person('İ@example.com'),
      person('one@EXAMPLE.com')
    ]),
    [
      '2: email is that of an account',
      '3: email is that of line 1',
      '4: is not JSON',
      '5: email must be an email address, as in ada@example.com',
      '6: email is that of line 1'
    ]
  )
})

t.test('lines are found in any pieces that the file is read in, and over several batches', async (t) => {
  const lines = Array.from({ length: 2500 }, (_, n) =>
    person(`many${n}@example.com`, { username: `M ${'é'.repeat(n % 60)}` })
  )
  await importAll(t, lines)
  const [{ count } = {}] = await database.query<{ count: number }>(
    "SELECT count(*) FROM users WHERE email LIKE 'many%'"
  )
  t.equal(count, 2500)
  t.match(await rowOf('many2459@example.com'), { username: `M ${'é'.repeat(2459 % 60)}`.trim() })
  const again = await refusals(t, [...lines.slice(0, 1500), person('new@example.com')])
  t.equal(again.length, 1500)
  t.strictSame(again.slice(0, 2), ['1: email is that of an account', '2: email is that of an account'])
})

t.test('nothing is written if an address is taken after the check, or the file becomes another one', async (t) => {
  const lines = Array.from({ length: 1500 }, (_, n) => person(`late${n}@example.com`))
  const file = await fileOf(t, lines)
  const silent = tellingInto([])
  const { accounts } = await checkFile(database, file, silent)
  const late = await auth.person({ email: 'LATE1400@example.com' })
  const add = () => addAccounts(operator, file, { accounts, tell: silent })
  await t.rejects(add(), { message: 'an address was taken meanwhile: begin again' })
  const count = () => database.query("SELECT id FROM users WHERE email ILIKE 'late%'")
  t.strictSame(await count(), [{ id: late.id }])
  await fileOf(t, lines.slice(0, 100))
  await t.rejects(add(), { message: 'the file was changed while it was read' })
  await fileOf(t, ['{'])
  await t.rejects(add(), { message: 'the file was changed while it was read' })
  t.strictSame(await count(), [{ id: late.id }])
})

t.test('what is no file of lines is refused', async (t) => {
  const silent = tellingInto([])
  await t.rejects(checkFile(database, '/dev/null', silent), { message: /no regular file/ })
  await t.rejects(checkFile(database, path.join(t.testdir(), 'none'), silent), { code: 'ENOENT' })
  t.strictSame(await checkFile(database, await fileOf(t, ['', ' ']), silent), {
    accounts: 0,
    refused: 0,
    highestCost: 0
  })
})
