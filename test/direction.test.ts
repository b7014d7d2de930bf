import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const BIOME = join(ROOT, 'node_modules', '.bin', 'biome')

// Each line breaks one rule of ARCHITECTURE.md, and nothing else.
const REFUSED = {
  'services/auth/src/accounts/a.ts': "import '../../../resource/src/greet.ts'",
  'services/resource/src/b.ts': "import '../../auth/src/database.ts'",
  'services/resource/src/c.ts': "import 'pg'",
  'packages/frame/src/d.ts': "import '../../../services/auth/src/app.ts'",
  'packages/frame/src/e.ts': "import '@latchkey/verifier'",
  'packages/verifier/src/f.ts': "import '@latchkey/frame/app'",
  'packages/verifier/src/s.ts': "import '@latchkey/database/pool'",
  'packages/problems/src/up.ts': "import '@latchkey/tokens/rules'",
  'packages/events/src/up.ts': "import '@latchkey/frame/app'",
  'packages/tokens/src/up.ts': "import '@latchkey/frame/app'",
  'packages/frame/src/up.ts': "import '@latchkey/tokens/rules'",
  'packages/frame/src/connections/sql.ts': "import 'pg'",
  'packages/database/src/up.ts': "import '@latchkey/frame/app'",
  'packages/database/src/http.ts': "import 'fastify'",
  'packages/audit/src/http.ts': "import 'fastify'",
  'packages/audit/src/sql.ts': "import 'pg'",
  'packages/audit/src/frame.ts': "import '@latchkey/frame/app'",
  'packages/audit/src/tokens.ts': "import '@latchkey/tokens/rules'",
  'packages/audit/src/up.ts': "import '../../../services/auth/src/app.ts'",
  'packages/metrics/src/up.ts': "import '../../../services/auth/src/app.ts'",
  'packages/metrics/src/sql.ts': "import 'pg'",
  'packages/frame/src/metrics.ts': "import '@latchkey/metrics/open'",
  'packages/verifier/src/metrics.ts': "import '@latchkey/metrics/open'",
  'packages/frame/src/types-a.ts': "import type { B } from './types-b.ts'\nexport type A = B | 1",
  'packages/frame/src/types-b.ts': "import type { A } from './types-a.ts'\nexport type B = A | 2",
  'packages/verifier/src/t.ts': "import '../../service/src/app.ts'",
  'packages/tokens/src/g.ts': "import 'fastify'",
  'services/auth/src/sessions/h.ts': "import 'pg'",
  'services/auth/src/sessions/http.ts': "import 'fastify'",
  'services/auth/src/users/http.ts': "import '@latchkey/frame/app'",
  'services/auth/src/passwords/http.ts': "import '@fastify/jwt'",
  'services/auth/src/keys/http.ts': "import '@latchkey/frame/schemas'",
  'services/auth/src/users/up.ts': "import '../sessions/sessions.ts'",
  'services/auth/src/passwords/up.ts': "import '../limits/requests.ts'",
  'services/auth/src/keys/up.ts': "import '../app.ts'",
  'services/auth/src/sessions/up.ts': "import '../guards/guards.ts'",
  'services/auth/src/revocations/http.ts': "import 'fastify'",
  'services/auth/src/revocations/up.ts': "import '../sessions/sessions.ts'",
  'services/auth/src/users/feed.ts': "import '../feed/answer.ts'",
  'services/auth/src/feed/sql.ts': "database.query('SELECT 1')",
  'services/auth/src/feed/up.ts': "import '../commands/keys.ts'",
  'services/auth/src/signals/up.ts': "import '../commands/keys.ts'",
  'services/auth/src/guards/up.ts': "import '../parts/parts.ts'",
  'services/auth/src/audit/up.ts': "import '../login/login.ts'",
  'services/auth/src/limits/audit.ts': "import '../audit/refusals.ts'",
  'services/auth/src/limits/up.ts': "import '../login/login.ts'",
  'services/auth/src/parts/up.ts': "import '../accounts/me.ts'",
  'services/auth/src/login/up.ts': "import '../administration/actions.ts'",
  'services/auth/src/well-known/up.ts': "import '../accounts/me.ts'",
  'services/auth/src/import/up.ts': "import '../commands/import.ts'",
  'services/auth/src/import/http.ts': "import 'fastify'",
  'services/auth/src/users/import.ts': "import '../import/record.ts'",
  'services/auth/src/administration/up.ts': "import '../accounts/me.ts'",
  'services/auth/src/signals/sql.ts': "import 'pg'",
  'services/auth/src/sweep.ts': "database.query('SELECT 1')",
  'services/auth/src/accounts/i.ts': "database.query('SELECT 1')",
  'services/auth/src/login/j.ts': "export const rows = await database.query<Row>('SELECT $1', [1])",
  'services/auth/src/sessions/k.ts': 'export const secret = process.env.SECRET',
  'services/auth/src/accounts/chat.ts': "import '@latchkey/chat'",
  'services/resource/src/chat.ts': "import '@latchkey/chat'",
  'services/chat/src/other.ts': "import '../../auth/src/app.ts'",
  'services/chat/src/signs.ts': "import 'jose'",
  'services/chat/src/sql.ts': "import 'pg'",
  'services/chat/src/actions/sql.ts': "database.query('SELECT 1')",
  'services/chat/src/rest/sql.ts': "database.query('SELECT 1')",
  'services/chat/src/sockets/sql.ts': "database.query('SELECT 1')",
  'services/chat/src/rooms/pg.ts': "import 'pg'",
  'services/chat/src/rooms/http.ts': "import 'fastify'",
  'services/chat/src/events/sockets.ts': "import 'ws'",
  'services/chat/src/tickets/up.ts': "import '../actions/send.ts'",
  'services/chat/src/limits/up.ts': "import '../live/live.ts'",
  'services/chat/src/actions/http.ts': "import '@latchkey/frame/schemas'",
  'services/chat/src/actions/graphql.ts': "import 'graphql'",
  'services/chat/src/actions/up.ts': "import '../rest/route.ts'",
  'services/chat/src/live/up.ts': "import '../sockets/registry.ts'",
  'services/chat/src/rest/up.ts': "import '../app.ts'",
  'services/chat/src/graphql/up.ts': "import '../start.ts'",
  'services/auth/src/l.ts': "import './m.ts'",
  'services/auth/src/m.ts': "import './l.ts'"
}

const ALLOWED = {
  'packages/database/src/pool.ts': "import 'pg'\nimport '@latchkey/frame/connection-url'",
  'packages/audit/src/down.ts':
    "import '@latchkey/database/pool'\nimport '@latchkey/events/emit'\nimport '@latchkey/frame/background'\nimport '@latchkey/problems/reason'",
  'services/auth/src/accounts/n.ts':
    "import 'fastify'\nimport '@latchkey/frame/app'\nimport '@latchkey/tokens/rules'\nimport '../administration/actions.ts'",
  'services/auth/src/guards/down.ts': "import '@fastify/jwt'\nimport '../sessions/sessions.ts'",
  'services/auth/src/sessions/down.ts':
    "import '../users/find.ts'\nexport const rows = await database.query('SELECT 1')",
  'services/auth/src/signals/down.ts':
    "import '../keys/folder.ts'\nimport 'fastify'\nexport const rows = await database.query('SELECT 1')",
  'services/resource/src/o.ts': "import '@latchkey/verifier'",
  'packages/verifier/src/p.ts': "import 'node:fs'\nimport '@latchkey/tokens/rules'\nimport './q.ts'",
  'packages/tokens/src/r.ts': "import 'node:crypto'\nimport '@latchkey/problems/problem'\nimport './claims.ts'",
  'services/chat/src/rooms/down.ts': "import '../rules.ts'\nexport const rows = await database.query('SELECT 1')",
  'services/chat/src/actions/down.ts': "import '../events/append.ts'\nimport '@latchkey/audit/acting'",
  'services/chat/src/rest/down.ts': "import 'fastify'\nimport '@latchkey/frame/schemas'\nimport '../actions/all.ts'",
  'services/chat/src/sockets/down.ts': "import 'ws'\nimport '@latchkey/verifier'\nimport '../live/live.ts'",
  'services/auth/src/server.ts': 'export const env = process.env'
}

t.test('the linter holds the direction of imports', async (t) => {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'latchkey-direction-')))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await cp(join(ROOT, 'biome.json'), join(dir, 'biome.json'))
  await cp(join(ROOT, 'scripts', 'lint'), join(dir, 'scripts', 'lint'), { recursive: true })
  for (const [path, source] of Object.entries({ ...REFUSED, ...ALLOWED })) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), `${source}\n`)
  }
  const report = await lint(dir)
  t.strictSame(
    Object.keys(REFUSED).filter((path) => !report.has(path)),
    [],
    'each is refused'
  )
  t.strictSame(
    Object.keys(ALLOWED).filter((path) => report.has(path)),
    [],
    'each is allowed'
  )
})

function lint(dir: string): Promise<Set<string>> {
  const args = [
    'lint',
    '--reporter=github',
    '--vcs-enabled=false',
    '--max-diagnostics=none',
    '--diagnostic-level=error',
    '.'
  ]
  return new Promise((resolve) => {
    execFile(BIOME, args, { cwd: dir }, (_error, stdout) => {
      resolve(new Set([...stdout.matchAll(/file=([^,]+)/g)].map(([, file = '']) => relative(dir, file))))
    })
  })
}
