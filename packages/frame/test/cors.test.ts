import { unavailable } from '@latchkey/problems/problem'
import t from 'tap'
import { startFrame } from './frame.ts'

const OURS = 'https://app.example.com'
const CORS_ORIGINS = [OURS, 'http://localhost:3000', 'capacitor://localhost']
const frame = (t: Parameters<typeof startFrame>[0], origins?: string[]) =>
  startFrame(
    t,
    (app) => {
      app.get('/', () => ({}))
      app.post('/busy', async () => {
        throw unavailable('busy')
      })
    },
    origins && { CORS_ORIGINS: origins }
  )
const corsHeaders = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))
const preflight = (origin: string) => ({
  headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' }
})

t.test('a page of a listed origin may read answers, refusals and their headers too', async (t) => {
  const { send } = await frame(t, CORS_ORIGINS)
  for (const origin of CORS_ORIGINS) {
    for (const [line, status] of [
      ['GET /', 200],
      ['GET /nothing', 404],
      ['POST /busy', 503]
    ] as const) {
      const answer = await send(line, { headers: { origin } })
      t.equal(answer.status, status, line)
      t.match(answer.headers, {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'Retry-After, WWW-Authenticate',
        vary: /\bOrigin\b/
      })
      t.equal(answer.headers['access-control-allow-credentials'], 'true', 'with cookies too')
    }
  }
})

t.test('it may also read what is refused before a route is found, or in its place', async (t) => {
  const { app, lines, send } = await startFrame(
    t,
    (app) => {
      app.get('/things/:id', () => ({}))
      app.get('/late', () => new Promise(() => {}))
      app.post('/', () => ({}))
    },
    { CORS_ORIGINS },
    { longestAnswer: 100 }
  )
  await app.ready()
  const large = { headers: { origin: OURS, 'content-type': 'application/json' }, body: ' '.repeat(70_000) }
  for (const [line, status, sending] of [
    ['GET /%zz?token=canary', 400],
    ['POST /%ff', 400],
    ['PUT /things/%c3', 400],
    [`GET /things/${'x'.repeat(101)}`, 400],
    ['PUT /late', 405],
    ['GET /late', 503],
    ['POST /', 413, large]
  ] as const) {
    const { status: seen, headers, body } = await send(line, sending ?? { headers: { origin: OURS } })
    t.equal(seen, status, line)
    t.match(headers, { 'access-control-allow-origin': OURS, 'x-content-type-options': 'nosniff' }, line)
    t.equal(headers['access-control-allow-credentials'], 'true', line)
    t.match(headers, { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }, line)
    if (status === 400) t.match(body, { code: 'invalid_input', errors: [{ field: 'path', message: String }] }, line)
  }
  t.match(await send('OPTIONS /%zz', preflight(OURS)), {
    status: 204,
    headers: { 'access-control-allow-origin': OURS }
  })
  t.notMatch(JSON.stringify(lines), /canary/)
})

t.test('it may send credentials in the header, with every method that there is', async (t) => {
  const { send } = await frame(t, CORS_ORIGINS)
  const { status, headers, body } = await send('OPTIONS /', preflight(OURS))
  t.equal(status, 204)
  t.equal(body, '')
  t.match(headers, {
    'access-control-allow-origin': OURS,
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': 'Authorization, Content-Type',
    'access-control-allow-credentials': 'true',
    'access-control-max-age': '7200',
    vary: /\bOrigin\b/
  })
})

t.test('a page of another origin may not', async (t) => {
  const { send } = await frame(t, CORS_ORIGINS)
  const foreign = [
    'https://evil.example.com',
    'https://app.example.com.evil.example',
    'https://app.example.com:8443',
    'http://app.example.com',
    'https://APP.example.com',
    'http://localhost:3001',
    'capacitor://localhost.evil.example',
    'ionic://localhost',
    'null',
    '*'
  ]
  for (const origin of foreign) {
    const answer = await send('GET /', { headers: { origin } })
    t.equal(answer.headers['access-control-allow-origin'], undefined, origin)
    t.match(answer.headers['vary'], /\bOrigin\b/)

    t.equal((await send('OPTIONS /', preflight(origin))).headers['access-control-allow-origin'], undefined, origin)
  }
})

t.test('unset, no page may, and nothing is said of origins', async (t) => {
  const { send } = await frame(t)
  t.strictSame(corsHeaders((await send('GET /', { headers: { origin: OURS } })).headers), [])
  const { status, headers } = await send('OPTIONS /', preflight(OURS))
  t.strictSame([status, corsHeaders(headers)], [405, []])
})
