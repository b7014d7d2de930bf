import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runSealer } from '@latchkey/audit/seal'
import { createEmptyDatabase, runAsOwner, serviceUrl } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { makeRoom, startChat } from './app.ts'

const AUDIT = fileURLToPath(new URL('../dist/audit.js', import.meta.url))

/** Runs `npm run audit -- --service chat …` without npm; the environment is only this. */
function audit(
  DATABASE_URL: string,
  ...words: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [AUDIT, ...words], { env: { DATABASE_URL } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

/** A chat in which three rooms were made, whose records are sealed and have a head. */
async function sealedChat(t: Test) {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  for (let n = 0; n < 3; n += 1) await makeRoom(chat, ada)
  const heads = new EventTarget()
  let head: object = {}
  const unexpected = (fields: object, message: string) => t.fail(message, fields)
  const info = (fields: object) => {
    head = fields
    heads.dispatchEvent(new Event('head'))
  }
  const stored = once(heads, 'head')
  const sealer = runSealer({ database: chat.database, log: { info, warn: unexpected, error: unexpected }, pause: 10 })
  await stored
  await sealer.close()
  return { url: await serviceUrl(chat.url), head }
}

t.test('the log of the chat is verified, and its heads are said to be unsigned', async (t) => {
  const { url, head } = await sealedChat(t)
  t.strictSame(await audit(url, 'verify'), {
    code: 0,
    stdout: [
      '3 records, 1 to 3, were verified.',
      '1 stored head fits: 1 unsigned, because the service has no key to sign with.',
      'No head from elsewhere was given: whoever owns the database could have computed the whole chain anew. --head takes one.',
      'The log is whole.\n'
    ].join('\n'),
    stderr: ''
  })
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-chat-audit-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'all.log')
  const ofAuth = { service: 'auth', event: 'audit_head', seq: 900, hash: 'ab'.repeat(32) }
  await writeFile(
    file,
    `${JSON.stringify(ofAuth)}\n${JSON.stringify({ service: 'chat', event: 'audit_head', ...head })}\n`
  )
  t.match(await audit(url, 'verify', '--head', file), { code: 0, stdout: '1 of 1 head that was given fits.' })
  await runAsOwner(url, 'UPDATE audit_records SET actor_id = gen_random_uuid() WHERE seq = 2')
  t.match(await audit(url, 'verify', '--head', file), {
    code: 1,
    stdout: /^record 2 \([\da-f-]{36}\) was altered.*\n(.*\n)*The log is NOT whole: 1 fault was found\.\n$/m
  })
})

t.test('the log of the chat is exported and shortened, and the export is recorded', async (t) => {
  const { url } = await sealedChat(t)
  const { code, stdout } = await audit(url, 'export')
  const lines = stdout.trim().split('\n')
  t.match(
    { code, events: lines.map((line) => JSON.parse(line).event) },
    { code: 0, events: Array(3).fill('room_created') }
  )
  t.match(await audit(url, 'export', '--ocsf'), {
    code: 0,
    stdout: '',
    stderr: 'audit: 3 records are neither Authentication nor Account Change, and left out\n'
  })
  t.match(await audit(url, 'verify'), { stdout: '2 records wait to be sealed' })
  await runAsOwner(url, "UPDATE audit_settings SET retention = '1 microsecond'")
  t.match(await audit(url, 'prune'), { code: 0, stdout: /^3 records were removed, up to record 3: / })
})

t.test('keys and databases that cannot be right are refused', async (t) => {
  const { url } = await sealedChat(t)
  t.strictSame(await audit(url, 'verify', '--keys', 'keys'), {
    code: 1,
    stdout: '',
    stderr: 'audit: --keys is for nothing here: the chat service signs no heads. --head takes one that you kept\n'
  })
  t.match(await audit(url), { code: 1, stderr: /^audit: usage: npm run audit -- \[--service auth\|chat\] <command>$/m })
  t.match(await audit(await createEmptyDatabase(t), 'verify'), {
    code: 1,
    stderr: /^audit: the database lacks migration \d{14}_\S+: npm run migrate -w services\/chat makes it$/m
  })
})
