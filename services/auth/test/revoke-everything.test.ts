import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { listReceivers, noteReceivers } from '../src/revocations/receivers.ts'
import { startAuth } from './app.ts'
import { ask, FEED_TOKEN } from './feed.ts'
import { keyFolder, letteredKeys, openInstance } from './key-folder.ts'
import { kidOf } from './keys.ts'

const pems = await letteredKeys(['A', 'B', 'C', 'R', 'S'])
const { A, B, C, R, S } = pems
const ADMIN = fileURLToPath(new URL('../dist/admin.js', import.meta.url))
const ISSUER = 'https://auth.example.com'
const FILES = { 'access/current': A, 'access/next': B, 'refresh/current': R, 'refresh/next': S }

/** An auth service with a feed, keys in a folder that an instance has seen, and the command. */
async function startAll(t: Test, files: Partial<typeof FILES> = FILES) {
  const auth = await startAuth(t, { env: { REVOCATION_FEED: 'token', FEED_TOKEN } })
  const { dir } = keyFolder(t, files)
  const databaseUrl = auth.config.DATABASE_URL
  const { inForce } = await openInstance(t, { dir, databaseUrl, pems })
  await inForce()
  const env = { PATH: process.env.PATH, ISSUER, AUDIENCE: 'latchkey', KEYS_DIR: dir, DATABASE_URL: databaseUrl }
  const admin = async (words: string[], typed = '') => {
    const running = promisify(execFile)(process.execPath, [ADMIN, ...words], { env })
    running.child.stdin?.end(typed)
    const { stdout, stderr } = await running
    return { stdout, stderr }
  }
  const revoked = async () => {
    const rows = await auth.database.query<{ kid: string }>('SELECT kid FROM signing_keys WHERE revoked_at IS NOT NULL')
    return rows.map(({ kid }) => kid).sort()
  }
  return { auth, admin, revoked, inForce }
}

const sending = (agent: string) => ({ token: FEED_TOKEN, headers: { 'user-agent': agent } })

t.test(
  'everything ends: the keys but next, all sessions, all access tokens; and who knows it is counted',
  async (t) => {
    const { auth, admin, revoked, inForce } = await startAll(t)
    const ada = await auth.person()
    const first = await ask(auth, {}, sending('one'))
    let isOver = false
    const follow = async () => {
      for (let { to } = first; !isOver; ) ({ to } = await ask(auth, { after: to, wait: 1 }, sending('one')))
    }
    const following = follow()
    while ((await listReceivers(auth.database, 60)).length === 0) await sleep(50)
    const { stdout } = await admin(['revoke-everything'], `${ISSUER}\n`)
    isOver = true
    await following
    t.match(stdout, /^everything is revoked: 2 signing keys, and the sessions of 1 users; 1 of 1 receivers know it\n/)
    t.strictSame(await revoked(), [kidOf(A), kidOf(R)].sort())
    t.match(await inForce(), /^B of B/)
    t.match(await auth.send('GET /me', { token: ada.access_token }), { status: 401 })
    const { entries } = await ask(auth, { after: first.to }, sending('one'))
    t.strictSame(entries.map(([kind]) => kind).sort(), ['all', 'all', 'key', 'key'])
    const ends = entries.flatMap(([kind, , time]) => (kind === 'all' ? [time] : []))
    t.ok(
      ends.every((time) => Number(time) >= Math.floor(Date.now() / 1000) - 60 && Number(time) <= Date.now() / 1000 + 11)
    )
    const records = await auth.database.query<{ event: string }>(
      "SELECT event FROM audit_records WHERE event IN ('key_revoked', 'admin_command') ORDER BY event"
    )
    t.strictSame(
      records.map(({ event }) => event),
      ['admin_command', 'key_revoked', 'key_revoked']
    )
  }
)

t.test('a key that only another instance has in its folder goes too', async (t) => {
  const { auth, admin, revoked } = await startAll(t)
  const other = keyFolder(t, { 'access/current': A, 'access/next': C, 'refresh/current': R, 'refresh/next': S })
  const { inForce } = await openInstance(t, { dir: other.dir, databaseUrl: auth.config.DATABASE_URL, pems })
  await inForce()
  const { stdout } = await admin(['revoke-everything', '--yes'])
  t.match(stdout, /^everything is revoked: 3 signing keys, /)
  t.strictSame(await revoked(), [kidOf(A), kidOf(C), kidOf(R)].sort())
})

t.test('nothing changes without the name of the issuer, or without a next key of each kind', async (t) => {
  const { auth, admin, revoked } = await startAll(t)
  const ada = await auth.person()
  for (const typed of ['', 'y\n', `${ISSUER}/\n`, 'latchkey\n']) {
    await t.rejects(admin(['revoke-everything'], typed), { message: /admin: nothing was changed; type the ISSUER/ })
  }
  const { 'refresh/next': _, ...files } = FILES
  const lacking = await startAll(t, files)
  await t.rejects(lacking.admin(['revoke-everything', '--yes']), {
    message:
      /admin: nothing was changed: refresh has no key in the slot next that a service has seen; scripts\/generate-keys.sh /
  })
  t.strictSame([await revoked(), await lacking.revoked()], [[], []])
  t.equal((await auth.send('GET /me', { token: ada.access_token })).status, 200)
})

t.test('a key is revoked at once, and who has not heard of it is named', { timeout: 90_000 }, async (t) => {
  const { auth, admin, revoked } = await startAll(t)
  const silent = { ip: '192.0.2.1', userAgent: 'silent', seq: 1, mark: '', isAuthenticated: true }
  const stranger = { ...silent, userAgent: 'stranger', isAuthenticated: false }
  await noteReceivers(auth.database, [silent, stranger])
  const { stdout, stderr } = await admin(['revoke-key', kidOf(A)])
  t.match(
    stdout,
    /is revoked: .*; 0 of 1 receivers know it; these have not said so:\nsilent, 192\.0\.2\.1, number 1, 3\d s ago\n$/
  )
  t.match(stderr, '0 of 1 receivers know it\n')
  t.strictSame(await revoked(), [kidOf(A)])
  const { stdout: listed } = await admin(['receivers'])
  t.match(listed, /^silent, 192\.0\.2\.1, number 1, \d+ s ago$/m)
  t.match(listed, /^stranger, 192\.0\.2\.1, number 1, \d+ s ago, without token$/m)
})
