import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { recordOf } from '@latchkey/audit/record'
import { writeRecords } from '@latchkey/audit/write'
import { openDatabase } from '@latchkey/database/pool'
import { createDatabase, createEmptyDatabase, runAsOwner, runStatement, serviceUrl } from '@latchkey/testing/database'
import t, { type Test } from 'tap'

const AUDIT = fileURLToPath(new URL('../dist/audit.js', import.meta.url))

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `npm run audit -- …` without npm; the environment is only this. */
function audit(env: Record<string, string>, ...words: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [AUDIT, ...words], { env, maxBuffer: 1e9 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

async function openLog(t: Test, records: number) {
  const owner = await createDatabase(t)
  const DATABASE_URL = await serviceUrl(owner)
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 60 }, () => {})
  t.teardown(() => database.close())
  const append = async (count: number) => {
    const source = { ip: '192.0.2.7', userAgent: 'a test', requestId: randomUUID() }
    const fields = () => ({ user: randomUUID(), session: randomUUID() })
    await writeRecords(
      database,
      Array.from({ length: count }, () => recordOf('login', fields(), source))
    )
    await database.query('SELECT audit_seal(10000)')
  }
  await append(records)
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-audit-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return { owner, DATABASE_URL, env: { DATABASE_URL }, database, append, folder }
}

async function storeHead({ database }: Awaited<ReturnType<typeof openLog>>) {
  const [head] = await database.query<{ seq: number; hash: string }>(
    "INSERT INTO audit_heads (seq, hash) SELECT seq, hash FROM audit_head RETURNING seq, encode(hash, 'hex') AS hash"
  )
  return head as { seq: number; hash: string }
}

t.test('a whole log is verified, and the report ends with its counts', async (t) => {
  const log = await openLog(t, 1200)
  const { code, stdout, stderr } = await audit(log.env, 'verify')
  t.equal(code, 0)
  t.equal(stderr, '')
  t.strictSame(stdout.trim().split('\n'), [
    '1,200 records, 1 to 1200, were verified.',
    'No head from elsewhere was given: whoever owns the database could have computed the whole chain anew. --head takes one.',
    'The log is whole.'
  ])
})

t.test('a fault is told with its record, and the exit code is 1', async (t) => {
  const log = await openLog(t, 5)
  await runAsOwner(
    log.DATABASE_URL,
    "UPDATE audit_records SET outcome = 'failed' WHERE seq = 3; DELETE FROM audit_records WHERE seq = 5"
  )
  const { code, stdout } = await audit(log.env, 'verify')
  t.equal(code, 1)
  t.match(stdout, /^record 3 \([\da-f-]{36}\) was altered/m)
  t.match(stdout, /^the log was cut: the chain ends at record 5/m)
  t.match(stdout, /^The log is NOT whole: 2 faults were found\.$/m)
})

t.test('a cut tail shows by a head that was kept, as text, as JSON, in a log, or in lines with a prefix', async (t) => {
  const log = await openLog(t, 5)
  const { seq, hash } = await storeHead(log)
  const line = JSON.stringify({ level: 30, event: 'audit_head', seq, hash, jws: null, msg: 'the audit log so far' })
  const file = join(log.folder, 'auth.log')
  const others = '{"event":"login","seq":1,"hash":"x"}\nnot JSON\n{"event":"audit_pruned","seq":3,"hash":"00"}\n'
  await writeFile(file, `${others}auth-1  | ${line}\n{"event":"audit_head","se`)
  const pretty = join(log.folder, 'head.json')
  await writeFile(pretty, JSON.stringify({ seq, hash }, null, 2))
  const forms = [line, JSON.stringify({ seq, hash }), file, pretty]
  const heads = forms.flatMap((form) => ['--head', form])
  const whole = await audit(log.env, 'verify', ...heads)
  t.match(whole, { code: 0, stdout: '4 of 4 heads that were given fit.' })
  await runAsOwner(
    log.DATABASE_URL,
    `DELETE FROM audit_records WHERE seq = 5; DELETE FROM audit_heads;
     UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_records WHERE seq = 4)`
  )
  t.equal((await audit(log.env, 'verify')).code, 0, 'without it nothing is found')
  const cut = await audit(log.env, 'verify', '--head', file)
  t.equal(cut.code, 1)
  t.match(
    cut.stdout,
    `the log was cut: it ends at record 4, and ${file}:4 has the head of record 5. So record 5 is missing`
  )
  t.match(await audit(log.env, 'verify', '--head', line), { code: 1, stdout: /^the log was cut: it ends at record 4/m })
})

t.test('where the service owns the log, it is told that the log is not safe from it', async (t) => {
  const log = await openLog(t, 1)
  const own = await audit({ DATABASE_URL: log.owner }, 'verify')
  t.equal(own.code, 0)
  t.match(own.stdout, /^Note: the audit log is not safe from the service: .* MIGRATION_DATABASE_URL/m)
  t.notMatch((await audit(log.env, 'verify')).stdout, 'not safe')
})

t.test('records that wait are counted, and are no fault', async (t) => {
  const log = await openLog(t, 1)
  await runStatement(
    log.owner,
    `INSERT INTO audit_records (id, at, event, outcome, actor_kind, detail, personal_hash)
    VALUES (gen_random_uuid(), '2026-01-31 12:00:00+00', 'login', 'done', 'user', '{}', sha256(''))`
  )
  const { code, stdout } = await audit(log.env, 'verify')
  t.equal(code, 0)
  t.match(stdout, '1 record waits to be sealed, and cannot be verified yet. The oldest is of 2026-01-31T12:00:00.000Z.')
})

t.test('all records are exported, one a line, and a reader that stops early is no error', async (t) => {
  const log = await openLog(t, 9000)
  const { code, stdout, stderr } = await audit(log.env, 'export')
  t.match({ code, stderr }, { code: 0, stderr: '' })
  const lines = stdout.trim().split('\n')
  t.equal(lines.length, 9000)
  t.match(JSON.parse(lines[8999] ?? ''), {
    seq: 9000,
    event: 'login',
    personal: { ip: '192.0.2.7' },
    hash: /^[\da-f]{64}$/
  })

  const child = spawn(process.execPath, [AUDIT, 'export'], { env: log.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [ended] = await once(child, 'exit')
  t.match({ ended, said }, { ended: 0, said: '' })
})

t.test('OCSF contains what fits its classes, and tells how many records do not', async (t) => {
  const log = await openLog(t, 3)
  await writeRecords(log.database, [recordOf('key_added', { kind: 'access', kid: 'k' }, {})])
  await log.database.query('SELECT audit_seal(10)')
  const { code, stdout, stderr } = await audit(log.env, 'export', '--ocsf')
  t.equal(code, 0)
  t.strictSame(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).class_uid),
    [3002, 3002, 3002]
  )
  t.equal(stderr, 'audit: 1 record is neither Authentication nor Account Change, and left out\n')
})

t.test('old records are removed up to a head, and the log is whole afterwards', async (t) => {
  const log = await openLog(t, 20)
  t.match(await audit(log.env, 'prune'), { code: 0, stdout: /^nothing was removed: records are kept for 400 days/ })
  await runAsOwner(log.DATABASE_URL, "UPDATE audit_settings SET retention = '0'")
  t.match(await audit(log.env, 'prune'), { code: 0, stdout: /^nothing was removed: records are kept for ever/ })
  await runAsOwner(log.DATABASE_URL, "UPDATE audit_settings SET retention = '1 microsecond'")
  t.match(await audit(log.env, 'prune'), { code: 0, stdout: /^nothing was removed/ }, 'no head is stored')
  await storeHead(log)
  await log.append(5)
  t.match(await audit(log.env, 'prune'), {
    code: 0,
    stdout: /^20 records were removed, up to record 20: records are kept for 00:00:00.000001\. /
  })
  const { code, stdout } = await audit(log.env, 'verify')
  t.equal(code, 0)
  t.match(stdout, /^5 records, 21 to 25, were verified\. Older ones, up to 20, were removed/m)
})

t.test('each mistake is told in words, with the exit code 1', async (t) => {
  const log = await openLog(t, 0)
  const empty = join(log.folder, 'empty.log')
  await writeFile(empty, '')
  const mistakes: [words: string[], message: RegExp][] = [
    [[], /^audit: usage: npm run audit -- \[--service auth\|chat\] <command>$/m],
    [['check'], /^audit: usage: /],
    [['verify', '--hed', 'x'], /^audit: Unknown option '--hed'\nusage: /],
    [['verify', '--head'], /^audit: Option '--head <value>' argument missing\nusage: /],
    [['verify', '--head', '/nowhere/x'], /^audit: there is no file \/nowhere\/x, and it is no head itself$/m],
    [['verify', '--head', empty], /empty\.log contains no head of the auth service: /],
    [['verify', '--keys', '/nowhere'], /^audit: there is no file or folder \/nowhere$/m],
    [['verify', '--keys', log.folder], /contains no \*\.public\.pem, and no folder access that does$/m],
    [
      ['export', '--from', '2026-01-31'],
      /^audit: --from 2026-01-31 is not a time: write it as in 2026-01-31T12:00:00Z$/m
    ],
    [
      ['export', '--from', '2026-02-01T00:00:00Z', '--to', '2026-02-01T00:00:00Z'],
      /^audit: --from .* is not before --to /
    ],
    [['prune', 'all'], /^audit: Unexpected argument 'all'/]
  ]
  for (const [words, message] of mistakes) {
    const { code, stdout, stderr } = await audit(log.env, ...words)
    t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: message }, words.join(' '))
  }
  const away = { DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x' }
  t.match(await audit(away, 'verify'), { code: 1, stderr: /^audit: database: connect ECONNREFUSED/ })
  t.match(await audit({}, 'verify'), { code: 1, stderr: /DATABASE_URL is not set/ })
  const bare = { DATABASE_URL: await createEmptyDatabase(t) }
  t.match(await audit(bare, 'verify'), { code: 1, stderr: /^audit: the database lacks migration \d{14}_/ })
})
