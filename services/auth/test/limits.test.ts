import { between } from '@latchkey/testing/between'
import { createDatabase } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { startAuth } from './app.ts'

// One instance for all: each test comes from addresses of its own.
const DATABASE_URL = await createDatabase(t)
const start = (env: Record<string, string> = {}) =>
  startAuth(t, { env: { DATABASE_URL, RATE_LIMIT_PER_MINUTE: '3', ...env } })
const auth = await start()
const EMPTY = { body: {} }
const people = await start({ RATE_LIMIT_PER_MINUTE: '0' })

t.test('an address has so many requests a minute to the routes that hash a password, all together', async (t) => {
  const { email, password, access_token: token } = await people.person()
  const wrong = 'not the password'
  const hashing = [
    ['POST /login', { body: { email, password } }, 200],
    ['POST /login', { body: { email, password: wrong } }, 401],
    ['POST /signup', { body: { email, username: 'Again', password } }, 409],
    ['POST /change-password', { token, body: { current_password: wrong, new_password: 'another harbour' } }, 401],
    ['DELETE /me', { token, body: { current_password: wrong } }, 401]
  ] as const
  for (let first = 0; first < hashing.length; first += 1) {
    const from = `192.0.2.${10 + first}`
    const inTurn = [...hashing.slice(first), ...hashing.slice(0, first)]
    for (const [line, sending, status] of inTurn.slice(0, 3)) {
      t.equal((await auth.send(line, { ...sending, from })).status, status, line)
    }
    for (const [line, sending] of inTurn) {
      const answer = await auth.send(line, { ...sending, from })
      isProblem(t, answer, 'too_many_requests', [], line)
      t.match(answer.headers['retry-after'], /^\d+$/)
      between(t, Number(answer.headers['retry-after']), { least: 1, most: 60 }, 'Retry-After')
      t.strictSame(
        Object.keys(answer.headers).filter((name) => name.includes('ratelimit')),
        []
      )
    }
  }
  const other = await auth.send('POST /login', { body: { email, password }, from: '192.0.2.19' })
  t.equal(other.status, 200, 'others go on')
})

t.test('an address that asks again and again is refused at once, and then every ten milliseconds', async (t) => {
  const from = '192.0.2.80'
  const knock = () => auth.send('POST /login', { ...EMPTY, from })
  for (let i = 0; i < 3; i += 1) t.equal((await knock()).status, 400)
  const begun = performance.now()
  const answers = await Promise.all(Array.from({ length: 31 }, knock))
  between(t, performance.now() - begun, { least: 290 }, 'thirty-one refusals take three tenths of a second')
  t.equal(answers.filter(({ status }) => status === 429).length, 31)
})

t.test('requests that no account is behind count too', async (t) => {
  const from = '192.0.2.20'
  for (const sending of [EMPTY, { body: 'no JSON' }, { body: 'x', headers: { 'content-type': 'text/plain' } }]) {
    t.match(await auth.send('POST /login', { ...sending, from }), { status: /400|415/ })
  }
  isProblem(t, await auth.send('POST /login', { ...EMPTY, from }), 'too_many_requests')
})

t.test('however the path is written, it is the same', async (t) => {
  const sending = { ...EMPTY, from: '192.0.2.30' }
  for (const path of ['/login', '/%6cogin', '/log%69n']) t.equal((await auth.send(`POST ${path}`, sending)).status, 400)
  isProblem(t, await auth.send('POST /%6Cogin', sending), 'too_many_requests')
  for (const path of ['//login', '/login/', '/LOGIN'])
    isProblem(t, await auth.send(`POST ${path}`, sending), 'not_found')
})

t.test('the other endpoints are not limited: a backend may refresh for thousands', async (t) => {
  const from = '192.0.2.40'
  const { access_token, refresh_token } = await people.person()
  for (let i = 0; i < 5; i += 1) await auth.send('POST /login', { ...EMPTY, from })
  for (const [line, token] of [
    ['POST /refresh-token', refresh_token],
    ['GET /refresh-token', refresh_token],
    ['GET /me', access_token],
    ['GET /healthz', undefined]
  ] as const) {
    for (let i = 0; i < 5; i += 1) t.equal((await auth.send(line, { token, from })).status, 200, line)
  }
})

// Who shares a count: the first three use it up, the others find it so or not.
async function sharedBy(t: Test, first: object, others: [object, boolean][], by = auth) {
  for (let i = 0; i < 3; i += 1) t.equal((await by.send('POST /login', { ...EMPTY, ...first })).status, 400)
  for (const [sending, shared] of others) {
    const { status } = await by.send('POST /login', { ...EMPTY, ...sending })
    t.equal(status, shared ? 429 : 400, JSON.stringify(sending))
  }
}

t.test('of IPv6 a /64 counts as one, however it is written', async (t) => {
  await sharedBy(t, { from: '2001:db8:1:2::1' }, [
    [{ from: '2001:db8:1:2::1' }, true],
    [{ from: '2001:db8:1:2:ffff:ffff:ffff:ffff' }, true],
    [{ from: '2001:0DB8:0001:0002:0:0:0:9' }, true],
    [{ from: '2001:db8:1:3::1' }, false]
  ])
})

t.test('IPv4 inside IPv6 is that address', async (t) => {
  await sharedBy(t, { from: '::ffff:192.0.2.51' }, [
    [{ from: '192.0.2.51' }, true],
    [{ from: '::ffff:c000:233' }, true],
    [{ from: '192.0.2.52' }, false],
    [{ from: '::ffff:192.0.2.53' }, false]
  ])
})

const forwarded = (addresses: string, from = '10.1.2.3') => ({ from, headers: { 'x-forwarded-for': addresses } })

t.test('nobody gets another count by saying where they come from', async (t) => {
  await sharedBy(t, forwarded('198.51.100.1'), [
    [forwarded('198.51.100.2'), true],
    [{ from: '10.1.2.3', headers: { forwarded: 'for=198.51.100.2', 'x-real-ip': '198.51.100.2' } }, true],
    [{ from: '10.1.2.3' }, true]
  ])
})

t.test('a proxy of TRUST_PROXY is believed, and what stands before its own entry is not', async (t) => {
  const behind = await start({ TRUST_PROXY: '10.0.0.0/8, 2001:db8::1' })
  const others: [object, boolean][] = [
    [forwarded('203.0.113.7, 198.51.100.1'), true],
    [forwarded('203.0.113.7, 198.51.100.1, 10.9.9.9'), true],
    [forwarded('198.51.100.1', '2001:db8::1'), true],
    [forwarded('198.51.100.1', '11.1.2.3'), false],
    [forwarded('198.51.100.2'), false]
  ]
  await sharedBy(t, forwarded('198.51.100.1'), others, behind)
  const ips = behind.lines.filter(({ msg }) => msg === 'answered').map(({ req }) => (req as { ip: string }).ip)
  t.strictSame([...new Set(ips)], ['198.51.100.1', '11.1.2.3', '198.51.100.2'], 'the log says the same')
})

t.test('of a burst over the limit, as many pass as the limit says', async (t) => {
  const limited = await start({ RATE_LIMIT_PER_MINUTE: '20' })
  const statusesOf = (burst: Promise<{ status: number }>[]) =>
    Promise.all(burst).then((answers) => answers.map(({ status }) => status).sort())
  const burst = Array.from({ length: 25 }, () => limited.send('POST /login', { ...EMPTY, from: '192.0.2.60' }))
  t.strictSame(await statusesOf(burst), [...Array(20).fill(400), ...Array(5).fill(429)])
  const neighbours = Array.from({ length: 25 }, (_, i) =>
    limited.send('POST /login', { ...EMPTY, from: `2001:db8:6::${i}` })
  )
  t.strictSame(await statusesOf(neighbours), [...Array(20).fill(400), ...Array(5).fill(429)], 'of a /64 as well')
})

t.test('0 is no limit', async (t) => {
  for (let i = 0; i < 150; i += 1) t.equal((await people.send('POST /login', EMPTY)).status, 400)
})
