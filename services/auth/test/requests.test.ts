import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { addStream } from '../src/signals/streams.ts'
import { ISSUER, PASSWORD, startAuth } from './app.ts'
import { newNonce } from './feed.ts'

const STREAM = '00000000-0000-4000-8000-000000000000'
const POLL = `/signals/${STREAM}`

// What every endpoint refuses, whichever it is.
const auth = await startAuth(t, { env: { REVOCATION_FEED: 'open' } })

// Those with a body, each with one that it would take.
const ada = await auth.person()
const token = ada.access_token
const ENDPOINTS = {
  'POST /signup': { body: { email: 'new@example.com', username: 'New', password: PASSWORD } },
  'POST /login': { body: { email: ada.email, password: ada.password } },
  'POST /signin': { body: { email: ada.email, password: ada.password } },
  'POST /change-password': { body: { current_password: ada.password, new_password: 'another harbour' }, token },
  'PUT /update-username': { body: { username: 'Renamed' }, token },
  'PUT /update-email': { body: { email: 'new@example.com', current_password: ada.password }, token },
  'POST /verify-email': { body: { email: ada.email, code: 'x' } },
  'POST /verify-email/resend': { body: { email: ada.email } },
  'POST /forgot-password': { body: { email: ada.email } },
  'POST /reset-password': { body: { email: ada.email, code: 'x', new_password: 'another harbour' } }
}
const KIB = 1024

for (const [line, { body, ...sending }] of Object.entries<{ body: Record<string, string>; token?: string }>(
  ENDPOINTS
)) {
  const send = (body: unknown, headers: Record<string, string> = {}) => auth.send(line, { ...sending, body, headers })
  const members = Object.keys(body)
  const state = () => auth.database.query('SELECT * FROM users ORDER BY id')

  t.test(`${line} takes no body but a JSON object`, async (t) => {
    const before = await state()
    for (const value of ['null', 'true', '5', '"text"', '[]', `[${JSON.stringify(body)}]`]) {
      isProblem(t, await send(value), 'invalid_input', ['body'], value)
    }
    const broken = {
      'an empty body': '',
      'white space': ' ',
      'half of it': JSON.stringify(body).slice(0, -1),
      'more after it': `${JSON.stringify(body)},`,
      'single quotes': JSON.stringify(body).replaceAll('"', "'"),
      'a comment': `/**/${JSON.stringify(body)}`,
      'a number that is none': '{"a":NaN}',
      'a form': 'email=ada%40example.com&password=x',
      'bytes that are no UTF-8': Buffer.from(JSON.stringify(body).replace(/e/, '\xe9'), 'latin1'),
      'UTF-16': Buffer.from(JSON.stringify(body), 'utf16le')
    }
    for (const [name, value] of Object.entries(broken)) isProblem(t, await send(value), 'invalid_input', ['body'], name)
    isProblem(t, await auth.send(line, sending), 'invalid_input', ['body'], 'no body at all')
    t.strictSame(await state(), before)
  })

  t.test(`${line} takes text alone, without making any of other types`, async (t) => {
    const before = await state()
    for (const member of members) {
      for (const value of [null, true, 123456789012345, 1.5, [], [body[member]], {}, { $ne: '' }, { toString: 'x' }]) {
        const answer = await send({ ...body, [member]: value })
        isProblem(t, answer, 'invalid_input', [member], `${member}: ${JSON.stringify(value)}`)
      }
      const { [member]: _, ...rest } = body
      isProblem(t, await send(rest), 'invalid_input', [member], `without ${member}`)
    }
    isProblem(t, await send({}), 'invalid_input', members, 'without any')
    t.strictSame(await state(), before)
  })

  t.test(`${line} knows its own members alone`, async (t) => {
    const before = await state()
    for (const member of ['role', 'roles', 'id', 'email_verified', 'token_hash', 'EMAIL', 'isAdmin', '']) {
      isProblem(t, await send({ ...body, [member]: 'x' }), 'invalid_input', [member], `with ${JSON.stringify(member)}`)
    }
    const inside = JSON.stringify(body).slice(1)
    for (const poison of ['"__proto__":{"polluted":1}', '"constructor":{"prototype":{"polluted":1}}']) {
      isProblem(t, await send(`{${poison},${inside}`), 'invalid_input', ['body'], poison)
    }
    for (const member of members) {
      const twice = `{"${member}":"eve@example.com",${inside}`
      isProblem(t, await send(twice), 'invalid_input', ['body'], `with two of ${member}`)
    }
    t.equal(({} as Record<string, unknown>)['polluted'], undefined)
    t.strictSame(await state(), before)
  })

  t.test(`${line} takes 64 KiB and not a byte more`, async (t) => {
    const object = JSON.stringify({ ...body, more: '' })
    const padded = (size: number) => object.padEnd(size, ' ')
    isProblem(t, await send(padded(64 * KIB)), 'invalid_input', ['more'], 'read to its end')
    isProblem(t, await send(padded(64 * KIB + 1)), 'content_too_large')
    isProblem(t, await send(`{"a":`.repeat(10_000)), 'invalid_input', ['body'], 'deep')
  })

  t.test(`${line} takes application/json alone`, async (t) => {
    const bad = JSON.stringify({ ...body, more: '' })
    const types = [
      'text/plain',
      'text/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'application/json-patch+json',
      'application/vnd.api+json',
      'application/xml',
      'application/json, text/plain',
      'application/json junk',
      'application/json\tjunk',
      'application/json/x',
      'application',
      '*/*',
      ''
    ]
    for (const type of types) {
      isProblem(t, await send(bad, { 'content-type': type }), 'unsupported_media_type', [], JSON.stringify(type))
    }
    // However it is spelled, what is taken has been validated.
    const spellings = [
      'APPLICATION/JSON',
      ' application/json',
      'application/json ',
      'application/json;',
      'application/json ; charset=utf-8',
      'application/json; charset="utf-8"',
      'application/json\t;x=y'
    ]
    for (const type of spellings) {
      isProblem(t, await send(bad, { 'content-type': type }), 'invalid_input', ['more'], JSON.stringify(type))
    }
  })
}

t.test('a byte order mark before the object is passed over (RFC 8259 §8.1)', async (t) => {
  const answer = await auth.send('POST /login', { body: `\ufeff${JSON.stringify(ENDPOINTS['POST /login'].body)}` })
  t.equal(answer.status, 200)
})

/** The paths of the contract with their methods. */
const PATHS = {
  '/signup': ['POST'],
  '/login': ['POST'],
  '/refresh-token': ['GET', 'POST'],
  '/change-password': ['POST'],
  '/update-username': ['PUT'],
  '/update-email': ['PUT'],
  '/verify-email': ['GET', 'HEAD', 'POST'],
  '/verify-email/resend': ['POST'],
  '/forgot-password': ['POST'],
  '/reset-password': ['GET', 'HEAD', 'POST'],
  '/me': ['DELETE', 'GET', 'HEAD'],
  '/me/activity': ['GET', 'HEAD'],
  '/audit-log': ['GET', 'HEAD'],
  '/revocations': ['GET'],
  '/.well-known/jwks.json': ['GET', 'HEAD'],
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD'],
  [POLL]: ['POST'],
  '/healthz': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
  '/docs': ['GET', 'HEAD'],
  '/openapi.json': ['GET', 'HEAD']
}
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

for (const [path, methods] of Object.entries(PATHS)) {
  t.test(`${path} answers ${methods.join(' and ')}, and names them to who asks otherwise`, async (t) => {
    for (const method of METHODS) {
      const answer = await auth.send(`${method} ${path}`)
      if (methods.includes(method)) t.notMatch(String(answer.status), /^40[45]$/, method)
      else if (method === 'HEAD') t.match(answer, { status: 405, headers: { allow: methods.join(', ') }, body: '' })
      else {
        isProblem(t, answer, 'method_not_allowed', [], method)
        t.equal(answer.headers['allow'], methods.join(', '))
      }
    }
  })
}

t.test('a body does not keep a wrong method from being refused as such', async (t) => {
  for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/json' }]) {
    isProblem(t, await auth.send('PUT /login', { body: 'x', headers }), 'method_not_allowed')
  }
})

t.test('other paths are not found', async (t) => {
  for (const path of ['/nothing', '/login/', '//login', '/LOGIN', '/login/x', '/login;x', '/docs/nothing']) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      isProblem(t, await auth.send(`${method} ${path}`), 'not_found', [], `${method} ${path}`)
    }
  }
})

t.test('the root leads to the documentation, however it is spelled', async (t) => {
  for (const path of ['/', '/me/..']) {
    t.match(await auth.send(`GET ${path}`), { status: 302, headers: { location: '/docs' } })
    isProblem(t, await auth.send(`POST ${path}`), 'method_not_allowed', [], path)
  }
})

t.test('a path that cannot be decoded is refused', async (t) => {
  for (const path of ['/%zz', '/login%', '/%c3%28', '/me%ff']) {
    isProblem(t, await auth.send(`GET ${path}`), 'invalid_input', ['path'], path)
  }
})

t.test('no endpoint knows a member of the query, and none is done that has one', async (t) => {
  const { id, email, password, refresh_token, ...ada } = await auth.person()
  await auth.database.query("UPDATE users SET roles = '{user,admin}' WHERE id = $1", [id])
  const administration = await auth.send('POST /login', { body: { email, password, resource: ISSUER } })
  const stream = await auth.database.transaction((on) => addStream(on, { method: 'poll', audience: 'app' }))
  await auth.database.query('UPDATE signal_streams SET id = $1', [STREAM])
  const tokens: Record<string, string> = {
    '/refresh-token': refresh_token,
    '/audit-log': administration.body.access_token,
    [POLL]: stream?.token ?? ''
  }
  const bodies: Record<string, object> = {
    '/signup': { email: 'new@example.com', username: 'New', password },
    '/login': { email, password },
    '/change-password': { current_password: password, new_password: 'another harbour' },
    '/update-username': { username: 'New' },
    '/update-email': { email, current_password: password },
    '/verify-email': { email, code: 'x' },
    '/verify-email/resend': { email },
    '/forgot-password': { email },
    '/reset-password': { email, code: 'x', new_password: 'another harbour' },
    '/me': { current_password: password },
    [POLL]: {}
  }
  const state = () => auth.database.query('SELECT * FROM users FULL JOIN sessions ON user_id = users.id')
  const before = await state()
  for (const [path, methods] of Object.entries(PATHS)) {
    if (path === '/docs' || path === '/openapi.json') continue
    // Mail programs add their own query to the link of a page.
    const isPage = path === '/verify-email' || path === '/reset-password'
    for (const method of methods.filter((method) => method !== 'HEAD' && !(isPage && method === 'GET'))) {
      const token = tokens[path] ?? ada.access_token
      // Without what it has to have, an answer would name that too.
      const needed = path === '/revocations' ? `nonce=${newNonce()}&` : ''
      const line = `${method} ${path}?${needed}role=admin&access_token=x&a=1&a=2&__proto__=x`
      const answer = await auth.send(line, { token, ...(bodies[path] && method !== 'GET' && { body: bodies[path] }) })
      isProblem(t, answer, 'invalid_input', ['role', 'access_token', 'a', '__proto__'], `${method} ${path}`)
    }
  }
  t.strictSame(await state(), before)
})
