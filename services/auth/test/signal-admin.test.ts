import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openDatabase } from '@latchkey/database/pool'
import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { STREAM_COMMANDS } from '../src/commands/streams.ts'

const ADMIN = fileURLToPath(new URL('../dist/admin.js', import.meta.url))
const NOBODY = '00000000-0000-4000-8000-000000000000'
const SECRET = 'Bearer the-secret-of-the-receiver'

async function prepare(t: Test, more: Record<string, string> = {}) {
  const DATABASE_URL = await serviceUrl(await createDatabase(t))
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 2, ANSWER_TIMEOUT: 60 }, () => {})
  t.teardown(() => database.close())
  const env = { DATABASE_URL, ISSUER: 'https://auth.example.com/', ...more }
  const written: string[] = []
  const admin = async (...words: string[]) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [ADMIN, ...words], { env })
    written.push(stdout, stderr)
    return stdout
  }
  const acting = { database, log: { info: () => {}, warn: () => {}, error: () => {} }, command: 'test' }
  const run = (name: string, ...words: string[]) =>
    commandOf(name).run(
      { database, acting, env, say: () => {}, isConfirmed: async () => true, hasTyped: async () => true },
      ...words
    )
  const records = () =>
    database.query<{ event: string; target_id: string }>(
      'SELECT event, outcome, actor_kind, target_kind, target_id, detail FROM audit_records ORDER BY at'
    )
  return { database, admin, run, records, written, all: () => written.join('\n') }
}

const idIn = (text: string) => /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/.exec(text)?.[0] ?? ''

function commandOf(name: string) {
  const command = STREAM_COMMANDS[name]
  if (!command) throw new Error(`no command ${name}`)
  return command
}

t.test('streams are added, listed, verified and removed; each is recorded, and no secret is shown', async (t) => {
  const dir = t.testdir({ authorization: `${SECRET}\n` })
  const { admin, records, all, database } = await prepare(t, { INIT_CWD: dir })
  t.equal(await admin('stream', 'list'), 'there is no stream\n')
  const pushed = await admin(
    'stream',
    'add',
    'https://receiver.example.com/events?key=in-the-url',
    '--push',
    '--authorization-file',
    'authorization'
  )
  const push = idIn(pushed)
  t.equal(pushed, `stream ${push} was added: its SETs have the aud https://receiver.example.com\n`)
  const [row] = await database.query('SELECT authorization_value, endpoint FROM signal_streams')
  t.strictSame(row, {
    authorization_value: SECRET,
    endpoint: 'https://receiver.example.com/events?key=in-the-url'
  })

  const polled = await admin('stream', 'add', 'https://app.example.com/', '--poll')
  const poll = idIn(polled)
  const [, where, token = ''] = polled.trimEnd().split('\n')
  t.equal(
    where,
    `its receiver polls POST https://auth.example.com/signals/${poll} with this bearer token, which nobody can show again:`
  )
  t.match(token, /^[\w-]{43}$/)
  const [hashed] = await database.query(
    `SELECT bearer_hash = sha256('${token}') AS fits, authorization_value FROM signal_streams WHERE method = 'poll'`
  )
  t.strictSame(hashed, { fits: true, authorization_value: null })

  const listed = (await admin('stream', 'list')).trimEnd().split('\n')
  t.match(listed[0], `${push} push https://receiver.example.com https://receiver.example.com/events?…, added at 20`)
  t.match(listed[1], `${poll} poll https://app.example.com/, added at 20`)
  t.match(listed[1], 'nothing was taken yet, up to date')

  const verified = await admin('stream', 'verify', push.toUpperCase())
  const state = idIn(verified)
  t.match(await admin('stream', 'remove', poll), `stream ${poll} was removed`)
  t.strictSame(await records(), [
    {
      event: 'stream_added',
      outcome: 'done',
      actor_kind: 'operator',
      target_kind: 'stream',
      target_id: push,
      detail: { method: 'push', audience: 'https://receiver.example.com', command: 'stream add' }
    },
    {
      event: 'stream_added',
      outcome: 'done',
      actor_kind: 'operator',
      target_kind: 'stream',
      target_id: poll,
      detail: { method: 'poll', audience: 'https://app.example.com/', command: 'stream add' }
    },
    {
      event: 'stream_verification',
      outcome: 'done',
      actor_kind: 'operator',
      target_kind: 'stream',
      target_id: push,
      detail: { state, command: 'stream verify' }
    },
    {
      event: 'stream_removed',
      outcome: 'done',
      actor_kind: 'operator',
      target_kind: 'stream',
      target_id: poll,
      detail: { method: 'poll', command: 'stream remove' }
    }
  ])
  t.notMatch(all(), 'secret', 'what the receiver asks for is shown nowhere')
  t.notMatch(all(), 'in-the-url', 'and neither is the query of its URL')
  t.equal(all().split(token).length, 2, 'the token is shown once')
  t.notMatch(JSON.stringify(await records()), token)
})

t.test('each mistake gets an answer that says what to do, and changes nothing', async (t) => {
  const dir = t.testdir({ empty: '', token: 'only-a-token', lines: 'Bearer x\nBearer y\n', good: 'Bearer x' })
  const { admin, records, run } = await prepare(t, { INIT_CWD: dir })
  const url = 'https://receiver.example.com/events'
  const withFile = (file: string) => [url, '--push', '--authorization-file', file]
  const usage = /usage: npm run admin -- stream add <url> --push/
  const mistakes: [string[], RegExp][] = [
    [[], usage],
    [[url], usage],
    [[url, '--push', '--poll'], usage],
    [[url, url, '--push'], usage],
    [[url, '--pull'], /--pull.*\n.*usage: npm run admin -- stream add/],
    [[url, '--push', '--audience'], /--audience.*\n.*usage: npm run admin -- stream add/],
    [[url, '--push', '--audience', 'two words'], /an audience has 1 to 200 visible/],
    [['http://receiver.example.com/', '--push'], /the URL must begin with https:/],
    [['receiver', '--push'], /the URL is no URL that begins/],
    [['ü', '--poll'], /an audience has 1 to 200 visible/],
    [['app', '--poll', '--audience', 'x'], /are for --push/],
    [withFile('missing'), /--authorization-file: ENOENT/],
    [withFile('empty'), /the file has to be one line/],
    [withFile('token'), /as in Bearer <token>/],
    [withFile('lines'), /the file has to be one line/]
  ]
  for (const [words, message] of mistakes) await t.rejects(run('stream add', ...words), { message }, words.join(' '))
  await t.rejects(run('stream remove', NOBODY), { message: /no stream has the id 0{8}.*stream list lists them/ })
  await t.rejects(run('stream remove', 'x'), { message: /no stream has the id x/ })
  await t.rejects(run('stream verify', NOBODY), { message: /no stream has the id/ })
  for (const words of [['stream'], ['stream', 'ad', url], ['stream', 'remove'], ['stream', 'list', 'all']]) {
    await t.rejects(admin(...words), { message: /usage: npm run admin -- <command>/ }, words.join(' '))
  }
  t.strictSame(await records(), [])
  await run('stream add', ...withFile('good'))
  await t.rejects(run('stream add', ...withFile('good')), {
    message: /nothing was added: there is such a stream already/
  })
  await run('stream add', 'app', '--poll')
  await t.rejects(run('stream add', 'app', '--poll'), { message: /nothing was added/ })
  t.equal((await records()).length, 2)
})

t.test('in production an added stream is a line of the log, without its token', async (t) => {
  const { admin, written } = await prepare(t, { NODE_ENV: 'production' })
  await admin('stream', 'add', 'app', '--poll')
  const [stdout = '', stderr = ''] = written
  t.match(JSON.parse(stderr), { event: 'stream_added', stream: idIn(stdout), method: 'poll', audience: 'app' })
  t.notMatch(stderr, stdout.trimEnd().split('\n').at(-1))
})

t.test('there are at most 32 streams', async (t) => {
  const { run, database } = await prepare(t)
  await database.query(
    `INSERT INTO signal_streams (id, method, audience, bearer_hash, seq, read_at)
     SELECT gen_random_uuid(), 'poll', i::text, sha256(i::text::bytea), 0, now() FROM generate_series(1, 32) i`
  )
  await t.rejects(run('stream add', 'app', '--poll'), { message: /or there are 32/ })
})
