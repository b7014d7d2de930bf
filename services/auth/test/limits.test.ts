import t, { type Test } from 'tap'
import { isProblem } from '../../../packages/service/test/problem.ts'
import { createDatabase } from '../../../test/database.ts'
import { startAuth } from './app.ts'

// Each test has an instance of its own, whose counts begin anew; the database is one.
const DATABASE_URL = await createDatabase(t)
const start = (t: Test, env: Record<string, string> = {}) =>
  startAuth(t, { env: { DATABASE_URL, RATE_LIMIT_PER_MINUTE: '3', ...env } })
const EMPTY = { body: {} }

t.test('an address has so many requests a minute to /signup and /login together, good or bad', async (t) => {
  const auth = await start(t)
  const { email, password } = await auth.person({ email: 'ada@example.com' })
  t.equal((await auth.send('POST /login', { body: { email, password: 'not the password' } })).status, 401)
  for (const [line, body] of [
    ['POST /login', { email, password }],
    ['POST /signup', { email: 'new@example.com', username: 'New', password }],
    ['POST /login', {}]
  ] as const) {
    const answer = await auth.send(line, { body })
    isProblem(t, answer, 'too_many_requests', [], line)
    const wait = Number(answer.headers['retry-after'])
    t.equal(Number.isInteger(wait) && wait >= 1 && wait <= 60, true, `Retry-After: ${wait}`)
    t.same(
      Object.keys(answer.headers).filter((name) => name.startsWith('x-ratelimit')),
      []
    )
  }
  t.equal(
    (await auth.send('POST /login', { body: { email, password }, from: '192.0.2.1' })).status,
    200,
    'others go on'
  )
})

t.test('requests that no account is behind count too', async (t) => {
  const auth = await start(t)
  for (const sending of [EMPTY, { body: 'no JSON' }, { body: 'x', headers: { 'content-type': 'text/plain' } }]) {
    t.match(await auth.send('POST /login', sending), { status: /400|415/ })
  }
  isProblem(t, await auth.send('POST /login', EMPTY), 'too_many_requests')
})

t.test('however the path is written, it is the same', async (t) => {
  const auth = await start(t)
  for (const path of ['/login', '/%6cogin', '/log%69n', '/login']) await auth.send(`POST ${path}`, EMPTY)
  isProblem(t, await auth.send('POST /%6Cogin', EMPTY), 'too_many_requests')
  for (const path of ['//login', '/login/', '/LOGIN']) isProblem(t, await auth.send(`POST ${path}`, EMPTY), 'not_found')
})

t.test('the other endpoints are not limited: a backend may refresh for thousands', async (t) => {
  const auth = await start(t)
  const { access_token, refresh_token } = await auth.person({ email: 'eve@example.com' })
  for (let i = 0; i < 5; i += 1) await auth.send('POST /login', EMPTY)
  for (const [line, token] of [
    ['POST /refresh-token', refresh_token],
    ['GET /refresh-token', refresh_token],
    ['GET /me', access_token],
    ['GET /healthz', undefined]
  ] as const) {
    for (let i = 0; i < 5; i += 1) t.equal((await auth.send(line, { token })).status, 200, line)
  }
})

// Who shares a count: the first three use it up, the others find it so or not.
async function sharedBy(t: Test, auth: Awaited<ReturnType<typeof start>>, first: object, others: [object, boolean][]) {
  for (let i = 0; i < 3; i += 1) t.equal((await auth.send('POST /login', { ...EMPTY, ...first })).status, 400)
  for (const [sending, shared] of others) {
    const { status } = await auth.send('POST /login', { ...EMPTY, ...sending })
    t.equal(status, shared ? 429 : 400, JSON.stringify(sending))
  }
}

t.test('of IPv6 a /64 counts as one, however it is written', async (t) => {
  await sharedBy(t, await start(t), { from: '2001:db8:1:2::1' }, [
    [{ from: '2001:db8:1:2::1' }, true],
    [{ from: '2001:db8:1:2:ffff:ffff:ffff:ffff' }, true],
    [{ from: '2001:0DB8:0001:0002:0:0:0:9' }, true],
    [{ from: '2001:db8:1:3::1' }, false]
  ])
})

t.test('IPv4 inside IPv6 is that address', async (t) => {
  await sharedBy(t, await start(t), { from: '::ffff:192.0.2.1' }, [
    [{ from: '192.0.2.1' }, true],
    [{ from: '::ffff:c000:201' }, true],
    [{ from: '192.0.2.2' }, false],
    [{ from: '::ffff:192.0.2.3' }, false]
  ])
})

const forwarded = (addresses: string, from = '10.1.2.3') => ({ from, headers: { 'x-forwarded-for': addresses } })

t.test('nobody gets another count by saying where they come from', async (t) => {
  await sharedBy(t, await start(t), forwarded('198.51.100.1'), [
    [forwarded('198.51.100.2'), true],
    [{ from: '10.1.2.3', headers: { forwarded: 'for=198.51.100.2', 'x-real-ip': '198.51.100.2' } }, true],
    [{ from: '10.1.2.3' }, true]
  ])
})

t.test('a proxy of TRUST_PROXY is believed, and what stands before its own entry is not', async (t) => {
  const auth = await start(t, { TRUST_PROXY: '10.0.0.0/8, 2001:db8::1' })
  await sharedBy(t, auth, forwarded('198.51.100.1'), [
    [forwarded('203.0.113.7, 198.51.100.1'), true],
    [forwarded('203.0.113.7, 198.51.100.1, 10.9.9.9'), true],
    [forwarded('198.51.100.1', '2001:db8::1'), true],
    [forwarded('198.51.100.1', '11.1.2.3'), false],
    [forwarded('198.51.100.2'), false]
  ])
  const ips = auth.lines.filter(({ msg }) => msg === 'answered').map(({ req }) => (req as { ip: string }).ip)
  t.same([...new Set(ips)], ['198.51.100.1', '11.1.2.3', '198.51.100.2'], 'the log says the same')
})

t.test('0 is no limit', async (t) => {
  const auth = await start(t, { RATE_LIMIT_PER_MINUTE: '0' })
  for (let i = 0; i < 150; i += 1) t.equal((await auth.send('POST /login', EMPTY)).status, 400)
})
