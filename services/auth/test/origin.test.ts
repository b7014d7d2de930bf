import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { type Auth, type Sending, startAuth } from './app.ts'
import { claimsOf } from './tokens.ts'

const PROXY = '10.1.2.3'
const env = { TRUST_PROXY: '10.0.0.0/8', RATE_LIMIT_PER_MINUTE: '3' }
const auth = await startAuth(t, { env })
const unlimited = await startAuth(t, { env: { ...env, RATE_LIMIT_PER_MINUTE: '0' } })

/** A request as a proxy hands it on. */
function by(entry: string, from = PROXY): Sending {
  return { from, headers: { 'x-forwarded-for': entry } }
}

// The first three use up the count of a client; the others find it used up.
async function shareOneCount(t: Test, first: Sending, others: Sending[]): Promise<void> {
  const attempt = (sending: Sending) => auth.send('POST /login', { body: {}, ...sending })
  for (let i = 0; i < 3; i += 1) isProblem(t, await attempt(first), 'invalid_input', ['email', 'password'])
  for (const sending of others) {
    isProblem(
      t,
      await attempt(sending),
      'too_many_requests',
      [],
      String(sending.headers?.['x-forwarded-for']).slice(-60)
    )
  }
  t.not((await attempt(by('198.51.100.200'))).status, 429, 'others go on')
}

t.test('a proxy that tells ports too makes no new client of each connection', async (t) => {
  await shareOneCount(t, by('203.0.113.7:40001'), [
    by('203.0.113.7:40002'),
    by('203.0.113.7'),
    by('"203.0.113.7:40003"'),
    by('[::ffff:203.0.113.7]:40004'),
    by('::ffff:cb00:7107', `::ffff:${PROXY}`)
  ])
  await shareOneCount(t, by('[2001:db8:1:2::1]:443'), [
    by('2001:db8:1:2::1'),
    by('[2001:DB8:1:2:0:0:0:2]:444'),
    by('2001:db8:1:2::3%eth0')
  ])
})

t.test('what is no address counts as the proxy itself, so nobody passes the limit with it', async (t) => {
  const garbage = ['unknown', '', 'a', 'b', '203.0.113.8:x', '203.0.113.900', `${'x, '.repeat(300)}y`, '1'.repeat(9000)]
  await shareOneCount(
    t,
    by('garbage', '10.7.7.7'),
    garbage.flatMap((entry) => [by(entry, '10.7.7.7'), by(`198.51.100.1, ${entry}`, '10.7.7.7')])
  )
})

async function logIn(on: Auth, headers: Record<string, string>) {
  const ada = await on.person()
  const body = { email: ada.email, password: ada.password }
  const tokens = (await on.send('POST /login', { body, from: PROXY, headers })).body
  const sessions = async () => (await on.send('GET /sessions', { token: ada.access_token })).body.sessions
  return { tokens, deviceShown: async () => (await sessions()).find(({ current }: { current: boolean }) => !current) }
}

t.test('the list of sessions shows addresses alone, and nothing that a terminal obeys', async (t) => {
  const headers = { 'x-forwarded-for': '203.0.113.7:40001', 'user-agent': 'phone/1\x9b31m\x85\x07 eyJhbGciOi.e30.x' }
  const { tokens, deviceShown } = await logIn(unlimited, headers)
  const cleaned = { ip: '203.0.113.7', user_agent: 'phone/1\\u009b31m\\u0085\\u0007 [token]' }
  t.match(await deviceShown(), cleaned)

  const raw = ['203.0.113.7\u009b', 'phone/1\u009b31m\u0085', claimsOf(tokens.access_token)['sid']]
  await unlimited.database.query('UPDATE sessions SET ip = $1, user_agent = $2 WHERE id = $3', raw)
  t.match(await deviceShown(), { ip: '203.0.113.7\\u009b', user_agent: 'phone/1\\u009b31m\\u0085' }, 'of an older row')
})

t.test('a User-Agent is kept up to 256 characters', async (t) => {
  const { deviceShown } = await logIn(unlimited, { 'user-agent': `x${'\x9b'.repeat(10_000)}` })
  t.equal((await deviceShown()).user_agent, `x${'\\u009b'.repeat(100)}`.slice(0, 256))
})

t.test('a tab on another port of the same address is not elsewhere; on another address it is', async (t) => {
  const { tokens } = await logIn(unlimited, { 'x-forwarded-for': '203.0.113.7:40001' })
  const refreshed = async (entry: string) => {
    unlimited.lines.length = 0
    await unlimited.send('POST /refresh-token', { token: tokens.refresh_token, ...by(entry) })
    return unlimited.lines.find(({ event }) => event)
  }
  t.match(await refreshed('203.0.113.7:40002'), { event: 'refresh' })
  for (const entry of ['203.0.113.7:40003', '203.0.113.7', '[::ffff:203.0.113.7]:1'])
    t.match(await refreshed(entry), { event: 'refresh_converged' }, entry)
  t.match(await refreshed('203.0.113.8:40001'), { event: 'refresh_converged_elsewhere', ip: '203.0.113.8' })
  t.match(await refreshed('garbage\x9b'), { event: 'refresh_converged_elsewhere', ip: PROXY })
})
