import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { keyFolder, letteredKeys, openInstance } from './key-folder.ts'
import { kidOf } from './keys.ts'
import { movedClock } from './moved-clock.ts'

const pems = await letteredKeys(['A', 'B', 'C', 'R', 'S'])
const { A, B, C, R, S } = pems
const ADMIN = fileURLToPath(new URL('../dist/admin.js', import.meta.url))

t.test('the keys are listed as the services see them, and one is revoked', async (t) => {
  const clock = await movedClock(t)
  const folder = keyFolder(t, { 'access/current': A, 'access/next': B, 'refresh/current': R, 'refresh/next': S })
  const settings = { ISSUER: 'https://auth.example.com', AUDIENCE: 'latchkey', KEYS_DIR: folder.dir }
  const lives = { ACCESS_TOKEN_TTL: '895s', JWKS_PUBLISH_AGE: '1s', KEY_LEAD: '100s' }
  const env = { ...settings, ...lives, DATABASE_URL: clock.databaseUrl }
  const admin = (...words: string[]) => promisify(execFile)(process.execPath, [ADMIN, ...words], { env })
  const listed = async () => {
    const { stdout, stderr } = await admin('keys')
    t.equal(stderr, '', 'what only reads is no event')
    return stdout.split('\n').filter((line) => line.startsWith('access'))
  }
  t.same(await listed(), [`access current ${kidOf(A)} unseen`, `access next ${kidOf(B)} unseen`])

  const { inForce } = await openInstance(t, { dir: folder.dir, databaseUrl: clock.databaseUrl, pems })
  t.equal(await inForce(), 'A of A B')
  t.same(await listed(), [`access current ${kidOf(A)} signs`, `access next ${kidOf(B)} published`])

  await clock.advance(100)
  folder.move('access/current', 'access/previous-20260101T000000Z')
  folder.move('access/next', 'access/current')
  folder.write('access/next', C)
  t.equal(await inForce(), 'B of A B C')
  await clock.advance(1001)
  t.same(await listed(), [
    `access current ${kidOf(B)} signs`,
    `access next ${kidOf(C)} published`,
    `access previous-20260101T000000Z ${kidOf(A)} retired`
  ])

  const { stdout, stderr } = await admin('revoke-key', kidOf(B))
  t.match(stdout, `the access key ${kidOf(B)} is revoked`)
  const event = { service: 'admin', event: 'key_revoked', kind: 'access', kid: kidOf(B) }
  t.match(JSON.parse(stderr), event, 'and in production the log has it')
  t.equal(await inForce(), 'C of C')
  t.same((await listed())[0], `access current ${kidOf(B)} revoked`)

  folder.move('access/next', 'refresh/next')
  t.equal(await inForce(), '- of ', 'a key of the one kind in the folder of the other counts as revoked')
  const { stdout: moved } = await admin('keys')
  t.match(moved, `refresh next ${kidOf(C)} revoked`)
  await t.rejects(admin('revoke-key', 'x'.repeat(43)), { message: /admin: no service has seen a key x/ })
  await t.rejects(admin('revoke-key'), { message: /revoke-key <kid> / })
})
