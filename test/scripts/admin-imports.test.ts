// What npm run admin -- import says and how it ends, as a process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startAuth } from '../../services/auth/test/app.ts'
import { OTHERS } from '../../services/auth/test/foreign-hashes.ts'
import { buildFirst } from './build-first.ts'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

await buildFirst()
const auth = await startAuth(t)
const [{ hash, password }] = OTHERS

interface End {
  code: number
  out: string
  err: string
}

async function run(command: string, args: string[], more: Record<string, string> = {}, input = ''): Promise<End> {
  const env = { ...plainEnvironment({ DATABASE_URL: auth.config.DATABASE_URL, NODE_ENV: 'development' }), ...more }
  const child = spawn(command, args, { cwd: root, env })
  const end = { out: '', err: '' }
  child.stdout.on('data', (text) => (end.out += text))
  child.stderr.on('data', (text) => (end.err += text))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code, ...end }
}

const admin = (file: string, more?: Record<string, string>, input?: string, ...words: string[]) =>
  run(process.execPath, ['services/auth/dist/admin.js', 'import', file, ...words], more, input)

function fileOf(t: Test, people: readonly object[]): string {
  const file = path.join(t.testdir(), 'people.jsonl')
  writeFileSync(file, people.map((person) => `${JSON.stringify(person)}\n`).join(''))
  return file
}

const people = (name: string, count: number, password_hash = hash) =>
  Array.from({ length: count }, (_, n) => ({ email: `${name}${n}@example.com`, password_hash }))
const isIn = async (email: string) => (await auth.send('POST /login', { body: { email, password } })).status

t.test('a file of accounts is imported, and in production the log has it', async (t) => {
  const end = await admin(fileOf(t, people('good', 3)), { NODE_ENV: 'production' })
  t.match(end, { code: 0, out: '3 accounts were imported\n' })
  t.match(JSON.parse(end.err), { service: 'admin', event: 'admin_command', command: 'import', accounts: 3 })
  t.equal(await isIn('good2@example.com'), 200)
})

t.test('refused lines are named on standard error, a hundred at most, and nothing is imported', async (t) => {
  const bad = Array.from({ length: 150 }, () => ({ email: 'nobody' }))
  const { code, out, err } = await admin(fileOf(t, [...people('bad', 2), ...bad]))
  t.strictSame([code, out], [1, ''])
  const lines = err.trimEnd().split('\n')
  t.match(lines[0], /^line 3: email must be an email address, as in ada@example\.com; password_hash is required$/)
  t.match(lines[99], /^line 102: /)
  t.strictSame(lines.slice(100), ['and 50 more lines', 'admin: nothing was imported: 150 of 152 lines are refused'])
  t.equal(await isIn('bad0@example.com'), 401)
})

t.test('a file that is missing, empty or no file ends with 1', async (t) => {
  t.match(await admin('no-such-file'), { code: 1, out: '', err: /^admin: ENOENT: / })
  t.match(await admin(fileOf(t, [])), { code: 1, out: '', err: 'admin: nothing was imported: the file has no lines\n' })
  t.match(await admin('services'), { code: 1, out: '', err: /^admin: \S+services is no regular file/ })
})

t.test('hashes that make every login slower are asked about', async (t) => {
  const costly = hash.replace(/^(\$2.\$)\d\d/, '$113')
  const file = fileOf(t, people('costly', 1, costly))
  const question = /^A hash has the cost 13: .+ takes 4 times as long as now\. Import all the same\? \[y\/N\] \n/
  const refused = await admin(file, {}, 'n\n')
  t.match(refused, { code: 1, out: '', err: question })
  t.match(refused.err, /\nadmin: nothing was imported; answer y, or give --yes beforehand\n$/)
  t.match(await admin(file, { BCRYPT_COST: '13' }), { code: 0, err: /^$/ }, 'what is configured is no question')
  t.match(await admin(fileOf(t, people('more', 1, costly))), { code: 0, err: /^$/ }, 'nor what is there already')
  const most = hash.replace(/^(\$2.\$)\d\d/, '$115')
  t.match(await admin(fileOf(t, people('most', 1, most)), {}, '', '--yes'), { code: 0, err: /^$/ })
})

t.test('npm finds a file beside which it was called', async (t) => {
  const file = fileOf(t, people('npm', 1))
  const args = ['run', '--silent', 'admin', '--prefix', root, '--', 'import', path.basename(file)]
  const env = plainEnvironment({ DATABASE_URL: auth.config.DATABASE_URL, NODE_ENV: 'development' })
  const child = spawn('npm', args, { cwd: path.dirname(file), env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (text) => (out += text))
  t.strictSame(await once(child, 'close'), [0, null])
  t.equal(out, '1 account was imported\n')
  t.equal(await isIn('npm0@example.com'), 200)
})
