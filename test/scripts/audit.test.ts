// npm run audit as a process: on the databases of both services, told of or run by npm start.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createChatDatabase, createDatabase, serviceUrl } from '@latchkey/testing/database'
import t from 'tap'
import { migrationOf, readSettings, withDatabase } from '../../scripts/environment.mjs'
import { takeService } from '../../scripts/take-service.mjs'
import { startPostgres } from '../../tools/embedded-postgres/server.mjs'
import { buildFirst } from './build-first.ts'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function runNode(env: Record<string, string | undefined>, ...args: string[]) {
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, args, { cwd: root, env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err })
    )
  })
}

const audit = (env: Record<string, string>, ...words: string[]) =>
  runNode(plainEnvironment(env), 'scripts/audit.mjs', ...words)

await buildFirst()

t.test('--service names whose log it is, before or behind the command, and auth is the default', async (t) => {
  const taken = (line: string) => takeService(line.split(' '))
  const words = ['verify', '--head', 'x']
  for (const line of [
    '--service chat verify --head x',
    '--service=chat verify --head x',
    'verify --head x --service chat'
  ])
    t.strictSame(taken(line), { service: 'chat', words }, line)
  t.strictSame(taken('verify --service auth --head x'), { service: 'auth', words })
  t.strictSame(taken('verify --head x'), { service: 'auth', words })
  t.throws(() => taken('--service resource verify'), {
    message: '--service is auth or chat: resource has no audit log.'
  })
  t.throws(() => taken('verify --service'), { message: '--service is auth or chat: it names whose audit log it is.' })
})

t.test('each service has its own log, in its own database', async (t) => {
  const DATABASE_URL = await serviceUrl(await createDatabase(t))
  const env = { DATABASE_URL, CHAT_DATABASE_URL: await serviceUrl(await createChatDatabase(t)) }
  t.match(await audit(env, '--service', 'chat', 'export'), { code: 0, out: '' })
  t.match(await audit(env, '--service', 'chat', 'verify'), { code: 0, out: '1 record waits to be sealed', err: '' })
  const ofAuth = await audit(env, 'verify')
  t.match(ofAuth, { code: 0, out: /^0 records were verified\./ })
  t.notMatch(ofAuth.out, 'waits')
  t.strictSame(await audit({ DATABASE_URL }, '--service', 'chat', 'verify'), {
    code: 1,
    out: '',
    err: 'npm run audit: DATABASE_URL is set, and CHAT_DATABASE_URL, the database of the chat, is not.\n'
  })
})

t.test('without CHAT_DATABASE_URL it finds the database of the chat that npm start runs', async (t) => {
  const data = await mkdtemp(path.join(os.tmpdir(), 'latchkey-audit-'))
  t.teardown(() => rm(data, { recursive: true, force: true }))
  const words = ['--service', 'chat', 'verify']
  t.match(await audit({ DATA_DIR: data }, ...words), {
    code: 1,
    err: /^npm run audit: No database runs in .*: begin with npm start/
  })
  const server = await startPostgres({ folder: path.join(data, 'pg'), durable: false })
  t.teardown(() => rm(server.folder, { recursive: true, force: true }))
  t.teardown(() => server.stop())
  const settings = withDatabase(readSettings(root, plainEnvironment()), server, server.chat)
  t.match(await runNode(migrationOf(settings, 'chat'), 'services/chat/dist/migrate.js'), { code: 0 })
  const answer = await audit({ DATA_DIR: data }, ...words)
  t.match(answer, { code: 0, out: /^0 records were verified\.\n(.*\n)*The log is whole\.\n$/, err: '' })
  t.notMatch(answer.out, 'not safe from the service', 'it connects as the chat does')
})
