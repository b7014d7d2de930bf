// npm run admin as a process, on a database that it is told of and on one that npm start runs.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ISSUER, startAuth } from '../../services/auth/test/app.ts'
import { claimsOf } from '../../services/auth/test/tokens.ts'
import { startPostgres } from '../../tools/embedded-postgres/server.mjs'
import { buildFirst } from './build-first.ts'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function admin(env: Record<string, string>, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: plainEnvironment(env) }
    const child = execFile(process.execPath, ['scripts/admin.mjs', ...args], options, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err })
    )
  })
}

await buildFirst()
const auth = await startAuth(t)
const env = { DATABASE_URL: auth.config.DATABASE_URL, ISSUER }
const ada = await auth.person({ email: 'Ada@example.com' })
const refresh = (token: string) => auth.send('POST /refresh-token', { token })

t.test('it grants and revokes a role, which the next access token carries', async (t) => {
  t.strictSame(await admin(env, 'grant', 'admin', 'ada@EXAMPLE.com', '--yes'), {
    code: 0,
    out: `Ada@example.com (${ada.id}) now has the role admin; /users takes access tokens that are asked for with "resource": "${ISSUER}"\n`,
    err: ''
  })
  const { body } = await auth.send(`GET /refresh-token?resource=${encodeURIComponent(ISSUER)}`, {
    token: ada.refresh_token
  })
  t.strictSame(claimsOf(body.access_token)['roles'], ['user', 'admin'])
  t.equal((await auth.send('GET /users', { token: body.access_token })).status, 200)

  t.match(await admin(env, 'revoke', 'admin', ada.email), {
    code: 1,
    err: 'admin: Make somebody else an administrator first.\n'
  })
  const eve = await auth.person()
  t.match(await admin(env, 'grant', 'admin', eve.email, '--yes'), { code: 0 })
  t.match(await admin(env, 'revoke', 'admin', ada.email), { code: 0, out: / has no role admin\n$/ })
})

t.test('it disables and enables a user, and ends sessions', async (t) => {
  const bob = await auth.person()
  t.match(await admin(env, 'end-sessions', bob.email), { code: 0, out: / has no session any more\n$/ })
  t.equal((await refresh(bob.refresh_token)).status, 401)
  const { refresh_token } = await auth.login(bob)
  t.match(await admin(env, 'disable', bob.email), { code: 0, out: / is disabled\n$/ })
  t.equal((await refresh(refresh_token)).status, 401)
  t.equal((await auth.send('POST /login', { body: bob })).status, 400)
  t.match(await admin(env, 'enable', bob.email), { code: 0, out: / may log in\n$/ })
  const again = await auth.login(bob)
  const { access_token } = again
  t.match(await admin(env, 'end-all-sessions'), { code: 0, out: /^\d+ users have no session any more\n$/ })
  t.equal((await refresh(again.refresh_token)).status, 401)
  t.equal(claimsOf((await auth.login(bob)).access_token)['epoch'], Number(claimsOf(access_token)['epoch']) + 1000)
})

t.test('what it cannot do it says, and ends with 1', async (t) => {
  const wrong = {
    usage: [
      ...[[], ['grant'], ['grant', 'admin'], ['grant', 'admin', ada.email, 'more'], ['promote', ada.email]],
      ...[
        ['grant', 'admin', '--yes'],
        ['disable', ada.email, '--yes'],
        ['--yes', 'grant', 'admin', ada.email]
      ]
    ],
    'no account has the address nobody@example.com': [['disable', 'nobody@example.com']],
    'ADMIN is no role': [['grant', 'ADMIN', ada.email]],
    'every user has the role user': [['revoke', 'user', ada.email]]
  }
  const calls = Object.entries(wrong).flatMap(([message, all]) => all.map((args) => ({ message, args })))
  const answers = await Promise.all(calls.map(({ args }) => admin(env, ...args)))
  for (const [i, { message, args }] of calls.entries()) {
    const { code, out, err } = answers[i] as (typeof answers)[number]
    t.strictSame(
      { code, out, says: err.startsWith(`admin: ${message}`) },
      { code: 1, out: '', says: true },
      args.join(' ')
    )
  }
  const away = await admin({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, 'disable', ada.email)
  t.match(away, { code: 1, err: /^admin: database: connect ECONNREFUSED/ })
})

t.test('without DATABASE_URL it finds the database that npm start runs', async (t) => {
  const data = await mkdtemp(path.join(os.tmpdir(), 'latchkey-admin-'))
  t.teardown(() => rm(data, { recursive: true, force: true }))
  const none = await admin({ DATA_DIR: data }, 'disable', ada.email)
  t.match(none, { code: 1, err: /^npm run admin: No database runs in .*: begin with npm start/ })

  const server = await startPostgres({ folder: path.join(data, 'pg'), durable: false })
  t.teardown(() => rm(server.folder, { recursive: true, force: true }))
  t.teardown(() => server.stop())
  const there = await startAuth(t, { env: { DATABASE_URL: server.url, RATE_LIMIT_PER_MINUTE: '0' } })
  t.equal((await there.send('GET /readyz')).status, 503, 'it is empty')
  t.match(await admin({ DATA_DIR: data }, 'disable', ada.email), {
    code: 1,
    err: /^admin: the database lacks migration \d+_users-and-sessions/
  })
})
