import { randomUUID } from 'node:crypto'
import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startProxy } from '../../../test/faults/proxy.ts'
import { type Auth, PASSWORD, startAuth } from './app.ts'
import { directPool } from './hash-pool.ts'
import { testKeys } from './keys.ts'

/** Event, outcome and code of the records of these requests, or of all, when no more come. */
async function recordsOf({ database, refusals }: Auth, event: string): Promise<string[]> {
  await refusals.close()
  const rows = await database.query<{ outcome: string; code: string | null }>(
    "SELECT outcome, detail->>'code' AS code FROM audit_records WHERE event = $1 ORDER BY at, id",
    [event]
  )
  return rows.map(({ outcome, code }) => (code === null ? outcome : `${outcome} ${code}`))
}

t.test('a login whose token cannot be signed after the commit is recorded as done, once', async (t) => {
  const keys = await testKeys()
  const current = { ...keys.access.current }
  const auth = await startAuth(t, { keys: { ...keys, access: { ...keys.access, current } } })
  const { email } = await auth.person()
  // A key that cannot sign with RS256, as if the signing failed.
  Object.assign(current, { privateKey: await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']) })
  const answer = await auth.send('POST /login', { body: { email, password: PASSWORD } })
  isProblem(t, answer, 'internal_error')
  t.strictSame(await recordsOf(auth, 'login'), ['done', 'done'], 'this login and that of before')
})

t.test('a change whose connection is cut at its commit has one record, of what became of it', async (t) => {
  const proxy = await startProxy(t)
  const url = await serviceUrl(await createDatabase(t))
  proxy.connectTo(url)
  const auth = await startAuth(t, { env: { DATABASE_URL: proxy.urlOf(url) } })
  const ask = async (from: 'client' | 'server') => {
    const ada = await auth.person()
    const cut = proxy.resetAt({ from, text: 'COMMIT' })
    const [, answer] = await Promise.all([
      cut,
      auth.send('PUT /update-email', {
        token: ada.access_token,
        body: { email: `${randomUUID()}@example.com`, current_password: PASSWORD }
      })
    ])
    return answer
  }
  isProblem(t, await ask('server'), 'unavailable')
  isProblem(t, await ask('client'), 'unavailable')
  t.strictSame(await recordsOf(auth, 'email_change_asked'), ['done', 'failed unavailable'])
})

t.test('a change that is made after its 503 is recorded as done, once', async (t) => {
  const hashPool = directPool()
  const env = { ANSWER_TIMEOUT: '2s', PASSWORD_TIMEOUT: '2s' }
  const auth = await startAuth(t, { hashPool, env })
  const ada = await auth.person()
  const held = hashPool.hold('hash')
  const body = { current_password: PASSWORD, new_password: 'a staple of another kind' }
  isProblem(t, await auth.send('POST /change-password', { token: ada.access_token, body }), 'unavailable')
  held.release()
  for (;;) {
    const made = await auth.database.query("SELECT FROM audit_records WHERE event = 'password_changed'")
    if (made.length > 0) break
  }
  t.strictSame(await recordsOf(auth, 'password_changed'), ['done'])
})

t.test('a change that fails after its 503 is recorded as failed, once', async (t) => {
  const hashPool = directPool()
  const env = { ANSWER_TIMEOUT: '2s', PASSWORD_TIMEOUT: '2s' }
  const auth = await startAuth(t, { hashPool, env })
  const ada = await auth.person()
  const held = hashPool.hold('hash')
  const body = { current_password: PASSWORD, new_password: 'a staple of another kind' }
  isProblem(t, await auth.send('POST /change-password', { token: ada.access_token, body }), 'unavailable')
  t.strictSame(
    await auth.database.query("SELECT FROM audit_records WHERE event = 'password_changed'"),
    [],
    'nothing is known yet'
  )
  held.fail(new Error('the thread died'))
  await new Promise(setImmediate)
  t.strictSame(await recordsOf(auth, 'password_changed'), ['failed internal_error'])
})
