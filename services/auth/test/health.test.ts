import net, { type AddressInfo } from 'node:net'
import { runAsOwner } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { PASSWORD, startAuth } from './app.ts'
import { lineOf } from './feed.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

t.test('the process is up, and can serve', async (t) => {
  const auth = await startAuth(t)
  for (const path of ['/healthz', '/readyz']) {
    const answer = await auth.send(`GET ${path}`)
    t.match(answer, { status: 200, headers: { 'cache-control': 'no-store' } }, path)
    t.strictSame(answer.body, { status: 'ok' })
  }
})

t.test('it is up but not ready while its schema is behind', async (t) => {
  const auth = await startAuth(t)
  const behind = {
    'one migration is missing': 'DELETE FROM latchkey_migrations WHERE id = (SELECT max(id) FROM latchkey_migrations)',
    'nothing was ever migrated': 'DROP TABLE latchkey_migrations'
  }
  for (const [name, statement] of Object.entries(behind)) {
    await runAsOwner(auth.config.DATABASE_URL, statement)
    isProblem(t, await auth.send('GET /readyz'), 'unavailable', [], name)
    t.equal((await auth.send('GET /healthz')).status, 200, name)
  }
  const reasons = auth.lines.filter(({ code }) => code === 'unavailable').map(({ msg }) => msg)
  t.match(reasons, [
    /^not ready: migration \d+_[a-z-]+ is missing; run npm run migrate -w services\/auth$/,
    /is missing/
  ])
})

t.test('it is up but not ready while the database is away, and says 503 where it needs it', async (t) => {
  const port = await closedPort()
  const auth = await startAuth(t, {
    env: { DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/x`, ANSWER_TIMEOUT: '1s' }
  })
  isProblem(t, await auth.send('GET /readyz'), 'unavailable')
  const body = { email: 'ada@example.com', password: PASSWORD }
  isProblem(t, await auth.send('POST /login', { body }), 'unavailable', [], 'login')
  isProblem(t, await auth.send('POST /signup', { body: { ...body, username: 'Ada' } }), 'unavailable', [], 'signup')
  isProblem(t, await auth.send('GET /.well-known/ssf-configuration'), 'unavailable', [], 'streams')
  const poll = { token: 'x'.repeat(43), body: {} }
  isProblem(t, await auth.send(`POST /signals/${NOBODY}`, poll), 'unavailable', [], 'a poll')
  for (const path of [
    '/healthz',
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/openapi.json'
  ]) {
    t.equal((await auth.send(`GET ${path}`)).status, 200, path)
  }
  t.match(
    auth.lines.find(({ code }) => code === 'unavailable'),
    { level: 'error', msg: /^database: .*ECONNREFUSED/ }
  )
})

t.test('tokens are neither believed nor refused while the database is away', async (t) => {
  const auth = await startAuth(t)
  const { access_token, refresh_token, password } = await auth.person()
  const DATABASE_URL = `postgres://nobody@127.0.0.1:${await closedPort()}/x`
  const cut = await startAuth(t, { env: { DATABASE_URL, REVOCATION_FEED: 'open' } })
  const change = { current_password: password, new_password: 'another harbour' }
  for (const [line, sending] of Object.entries({
    'GET /me': { token: access_token },
    'GET /me/activity': { token: access_token },
    'GET /audit-log': { token: access_token },
    [lineOf({ wait: 1 })]: {},
    'PUT /update-username': { token: access_token, body: { username: 'Ada' } },
    'POST /change-password': { token: access_token, body: change },
    'PUT /update-email': { token: access_token, body: { email: 'b@example.com', current_password: password } },
    'POST /verify-email': { body: { email: 'a@example.com', code: 'x' } },
    'POST /reset-password': { body: { email: 'a@example.com', code: 'x', new_password: 'another harbour' } },
    'GET /refresh-token': { token: refresh_token },
    'POST /refresh-token': { token: refresh_token }
  })) {
    isProblem(t, await cut.send(line, sending), 'unavailable', [], line)
  }
  isProblem(t, await cut.send('GET /me', { token: 'x' }), 'invalid_token', [], 'but what is no token is refused')
})

async function closedPort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
