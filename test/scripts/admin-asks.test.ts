// What npm run admin asks before it makes somebody an administrator, as a process whose standard input is the test's.
import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { runAsOwner } from '@latchkey/testing/database'
import t from 'tap'
import { startAuth } from '../../services/auth/test/app.ts'
import { buildFirst } from './build-first.ts'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const COMMAND = ['services/auth/dist/admin.js', 'grant']

await buildFirst()
const auth = await startAuth(t)
// In production the command logs what it changed, too.
const env = plainEnvironment({ DATABASE_URL: auth.config.DATABASE_URL, NODE_ENV: 'development' })

interface End {
  code: number
  out: string
  err: string
}

/** Runs a command with this text as all of its input; undefined: the input is left open. */
async function run(
  command: string,
  args: string[],
  input?: string | Buffer,
  stdin: 'pipe' | number = 'pipe'
): Promise<End> {
  const options: SpawnOptions = { cwd: root, env, stdio: [stdin, 'pipe', 'pipe'] }
  const child = spawn(command, args, options)
  const end = { out: '', err: '' }
  child.stdout?.on('data', (text) => (end.out += text))
  child.stderr?.on('data', (text) => (end.err += text))
  // Who has its answer reads no more.
  child.stdin?.on('error', () => {})
  if (input !== undefined) child.stdin?.end(input)
  const [code] = await once(child, 'close')
  return { code, ...end }
}

const node = (args: string[], input?: string | Buffer) => run(process.execPath, args, input)
const asAdmin = (email: string) => [...COMMAND, 'admin', email]

async function rolesOf(person: { email: string; password: string }): Promise<string[]> {
  const { access_token } = await auth.login(person)
  return (await auth.send('GET /me', { token: access_token })).body.roles
}

const REFUSED = {
  code: 1,
  out: '',
  err: /^Nobody has verified \S+: whoever signed up with it, at \S+Z as [\da-f-]{36}, may be somebody else\. Make them an administrator all the same\? \[y\/N\] \nadmin: nothing was changed; answer y, or give --yes beforehand\n$/
}

t.test('y or yes makes an administrator of an address that nobody has verified', async (t) => {
  const answers = {
    y: 'y\n',
    Y: 'Y\n',
    yes: 'yes\n',
    'of Windows': '\ufeffYes\r\n',
    'without an end of line': 'y',
    more: 'y\nn\n'
  }
  for (const [name, answer] of Object.entries(answers)) {
    const ada = await auth.person()
    const end = await node(asAdmin(ada.email), answer)
    t.match(end, { code: 0, out: `${ada.email} (${ada.id}) now has the role admin`, err: /\? \[y\/N\] \n$/ }, name)
    t.strictSame(await rolesOf(ada), ['user', 'admin'], name)
  }
})

t.test('any other answer, and none, changes nothing and ends with 1', async (t) => {
  const ada = await auth.person()
  const answers = {
    n: 'n\n',
    'an empty line': '\n',
    'an empty line, then y': '\ny\n',
    nothing: '',
    'y in a sentence': 'y or n\n',
    'y in another script': '\u0443\n',
    'y and a NUL': 'y\0\n',
    'no UTF-8': Buffer.from([0x79, 0xff, 0x0a]),
    blanks: ' '.repeat(100),
    'a megabyte without an end of line': 'y'.repeat(1024 * 1024)
  }
  for (const [name, answer] of Object.entries(answers)) t.match(await node(asAdmin(ada.email), answer), REFUSED, name)
  const closed = await run('sh', ['-c', `exec "$0" ${asAdmin(ada.email).join(' ')} <&-`, process.execPath], undefined)
  t.match(closed, REFUSED, 'closed')
  const folder = await run(process.execPath, asAdmin(ada.email), undefined, openSync(tmpdir(), 'r'))
  t.match(folder, REFUSED, 'what cannot be read')
  t.strictSame(await rolesOf(ada), ['user'])
})

t.test(
  'an answer that comes in pieces is read to the end of its line, and an input that stays open is left',
  async (t) => {
    const ada = await auth.person()
    const child = spawn(process.execPath, asAdmin(ada.email), { cwd: root, env, stdio: ['pipe', 'ignore', 'pipe'] })
    await once(child.stderr, 'data')
    for (const piece of ['y', 'e', 's', '\n']) child.stdin.write(piece)
    t.strictSame(await once(child, 'exit'), [0, null])
    t.strictSame(await rolesOf(ada), ['user', 'admin'])
  }
)

t.test('--yes answers beforehand, so that nothing is asked or read', async (t) => {
  const ada = await auth.person()
  for (const args of [
    [...asAdmin(ada.email), '--yes'],
    [...COMMAND, '--yes', 'admin', ada.email]
  ]) {
    t.match(await node(args), { code: 0, out: / now has the role admin/, err: /^$/ }, 'the input stays open')
  }
})

t.test('nothing is asked of a verified address, of who is an administrator, and of other roles', async (t) => {
  const [ada, bob] = [await auth.person(), await auth.person()]
  await runAsOwner(auth.config.DATABASE_URL, `UPDATE users SET email_verified = true WHERE id = '${ada.id}'`)
  const done = { code: 0, err: /^$/ }
  t.match(await node(asAdmin(ada.email)), done, 'verified')
  t.match(await node([...COMMAND, 'editor', bob.email]), done, 'another role')
  t.match(await node([...asAdmin(bob.email), '--yes']), done)
  t.match(await node(asAdmin(bob.email)), done, 'once more')
})

t.test('an unknown address and a word that is no role are refused before anything is asked', async (t) => {
  t.match(await node(asAdmin('nobody@example.com')), {
    code: 1,
    out: '',
    err: /^admin: no account has the address nobody@/
  })
  const ada = await auth.person()
  t.match(await node([...COMMAND, 'ADMIN', ada.email]), { code: 1, out: '', err: /^admin: ADMIN is no role/ })
})

t.test('who is asked about and goes meanwhile is not replaced by who signs up with the address then', async (t) => {
  const ada = await auth.person()
  const child = spawn(process.execPath, asAdmin(ada.email), { cwd: root, env, stdio: ['pipe', 'ignore', 'pipe'] })
  await once(child.stderr, 'data')
  const { access_token } = await auth.login(ada)
  t.equal(
    (await auth.send('DELETE /me', { token: access_token, body: { current_password: ada.password } })).status,
    204
  )
  const other = await auth.person({ email: ada.email })
  child.stdin.end('y\n')
  t.strictSame(await once(child, 'exit'), [1, null])
  t.strictSame(await rolesOf(other), ['user'])
})

t.test('the answer comes through npm run admin too', async (t) => {
  const [ada, bob] = [await auth.person(), await auth.person()]
  const npm = (email: string, input: string) =>
    run('npm', ['run', '--silent', 'admin', '--', 'grant', 'admin', email], input)
  t.match(await npm(ada.email, 'y\n'), { code: 0, out: / now has the role admin/ })
  t.match(await npm(bob.email, ''), REFUSED)
  t.strictSame([await rolesOf(ada), await rolesOf(bob)], [['user', 'admin'], ['user']])
})
