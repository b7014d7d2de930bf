// The table of handshakes in PROTOCOL.md, row by row, by raw sockets: what is refused.
import { once } from 'node:events'
import { isProblem } from '@latchkey/testing/problem'
import { openRaw, sendRaw } from '@latchkey/testing/raw-http'
import { accessToken, makeKey, refreshClaims } from '@latchkey/testing/tokens'
import t from 'tap'
import { ISSUER, startChat } from './app.ts'
import { answerOf, bearer, HEADERS, type Lines, linesOf } from './raw-handshake.ts'
import { portOf } from './socket.ts'

const PAGE = 'https://page.example'
const chat = await startChat(t, { DRAIN_TIME: '0s', CORS_ORIGINS: PAGE })
const port = await portOf(chat)
const ada = chat.user('Ada')
const stranger = await makeKey()
const now = Math.floor(Date.now() / 1000)
const good = bearer(ada.token)

interface Row {
  readonly about: string
  readonly line?: string
  readonly lines?: Lines
  readonly status: number
  readonly code: string
  readonly headers?: Readonly<Record<string, string>>
  readonly fields?: readonly string[]
}

const asked = { 'sec-websocket-version': '13', upgrade: 'websocket' }
const offered = (...protocols: string[]) => ({ protocol: `Sec-WebSocket-Protocol: ${protocols.join(', ')}` })
const from = (origin: string) => ({ ...good, origin: `Origin: ${origin}` })

const REFUSED: readonly Row[] = [
  { about: 'POST', line: 'POST /ws', lines: good, status: 405, code: 'method_not_allowed', headers: { allow: 'GET' } },
  { about: 'HEAD', line: 'HEAD /ws', lines: good, status: 405, code: '', headers: { allow: 'GET' } },
  { about: 'no upgrade', lines: { ...good, upgrade: null }, status: 426, code: 'upgrade_required', headers: asked },
  { about: 'no Connection: Upgrade', lines: { ...good, connection: null }, status: 426, code: 'upgrade_required' },
  { about: 'another protocol', lines: { ...good, upgrade: 'Upgrade: h2c' }, status: 426, code: 'upgrade_required' },
  {
    about: 'version 8',
    lines: { version: 'Sec-WebSocket-Version: 8' },
    status: 426,
    code: 'upgrade_required',
    headers: asked
  },
  { about: 'no version', lines: { version: null }, status: 426, code: 'upgrade_required', headers: asked },
  {
    about: 'two versions',
    lines: { version: [HEADERS.version, HEADERS.version] },
    status: 426,
    code: 'upgrade_required'
  },
  { about: 'no key', lines: { ...good, key: null }, status: 400, code: 'invalid_request' },
  { about: 'a bad key', lines: { ...good, key: 'Sec-WebSocket-Key: x' }, status: 400, code: 'invalid_request' },
  { about: 'two keys', lines: { ...good, key: [HEADERS.key, HEADERS.key] }, status: 400, code: 'invalid_request' },
  { about: 'a foreign origin', lines: from('https://evil.example'), status: 403, code: 'cross_site' },
  { about: 'an origin that begins alike', lines: from(`${PAGE}.evil.example`), status: 403, code: 'cross_site' },
  { about: 'another port of the host', lines: from('http://test.example:81'), status: 403, code: 'cross_site' },
  { about: 'the origin null', lines: from('null'), status: 403, code: 'cross_site' },
  {
    about: 'two origins',
    lines: { ...good, origin: [`Origin: ${PAGE}`, `Origin: ${PAGE}`] },
    status: 403,
    code: 'cross_site'
  },
  {
    about: 'an origin before a bad token',
    lines: { ...bearer('x'), origin: 'Origin: https://evil.example' },
    status: 403,
    code: 'cross_site'
  },
  { about: 'a token in the query', line: `GET /ws?token=${ada.token}`, status: 401, code: 'missing_token' },
  { about: 'access_token in the query', line: `GET /ws?access_token=${ada.token}`, status: 401, code: 'missing_token' },
  {
    about: 'a token in the query and in the header',
    line: `GET /ws?token=${ada.token}`,
    lines: good,
    status: 400,
    code: 'invalid_input',
    fields: ['query']
  },
  {
    about: 'an unknown member of the query',
    line: 'GET /ws?room=1',
    lines: good,
    status: 400,
    code: 'invalid_input',
    fields: ['query']
  },
  { about: 'two tickets', line: 'GET /ws?ticket=a&ticket=b', status: 400, code: 'invalid_input', fields: ['query'] },
  { about: 'no credential', status: 401, code: 'missing_token' },
  {
    about: 'a cookie alone',
    lines: { cookie: `Cookie: token=${ada.token}; __Host-token=${ada.token}` },
    status: 401,
    code: 'missing_token'
  },
  {
    about: 'another scheme',
    lines: { authorization: 'Authorization: Basic eDp5' },
    status: 401,
    code: 'missing_token'
  },
  {
    about: 'no word after Bearer',
    lines: { authorization: 'Authorization: Bearer' },
    status: 400,
    code: 'invalid_request'
  },
  {
    about: 'two headers',
    lines: { authorization: [good.authorization, good.authorization] },
    status: 400,
    code: 'invalid_request'
  },
  { about: 'a header and a ticket', line: 'GET /ws?ticket=x', lines: good, status: 400, code: 'invalid_request' },
  {
    about: 'a header and a subprotocol',
    lines: { ...good, ...offered('latchkey.chat.v1', `bearer.${ada.token}`) },
    status: 400,
    code: 'invalid_request'
  },
  {
    about: 'two tokens as subprotocols',
    lines: offered('latchkey.chat.v1', 'bearer.a', 'bearer.b'),
    status: 400,
    code: 'invalid_request'
  },
  {
    about: 'a token as the only subprotocol',
    lines: offered(`bearer.${ada.token}`),
    status: 400,
    code: 'invalid_request'
  },
  {
    about: 'another subprotocol',
    lines: { ...good, ...offered('graphql-transport-ws') },
    status: 400,
    code: 'invalid_request'
  },
  {
    about: 'a subprotocol twice',
    lines: { ...good, ...offered('latchkey.chat.v1', 'latchkey.chat.v1') },
    status: 400,
    code: 'invalid_request'
  },
  { about: 'an empty list of subprotocols', lines: { ...good, ...offered() }, status: 400, code: 'invalid_request' },
  { about: 'no token', lines: bearer('nonsense'), status: 401, code: 'invalid_token' },
  {
    about: 'a token of a stranger',
    lines: bearer(accessToken(stranger, { iss: ISSUER })),
    status: 401,
    code: 'invalid_token'
  },
  {
    about: 'a refresh token',
    lines: bearer(accessToken(chat.key, refreshClaims(ISSUER, now), { typ: 'rt+jwt' })),
    status: 401,
    code: 'invalid_token'
  },
  {
    about: 'a token that has just expired',
    lines: bearer(ada.tokenWith({ exp: now - 1 })),
    status: 401,
    code: 'token_expired'
  },
  { about: 'an unknown ticket', line: `GET /ws?ticket=${'x'.repeat(43)}`, status: 401, code: 'invalid_token' },
  { about: 'an empty ticket', line: 'GET /ws?ticket=', status: 401, code: 'invalid_token' }
]

for (const { about, line = 'GET /ws', lines = {}, status, code, headers = {}, fields } of REFUSED) {
  t.test(`refused: ${about}`, async (t) => {
    const before = chat.lines.length
    const answer = answerOf(await sendRaw(port, line, linesOf(lines)))
    t.equal(answer.status, status)
    if (code) isProblem(t, answer, code, fields)
    t.match(answer.headers, { connection: 'close', 'cache-control': 'no-store', ...headers })
    const logged = chat.lines.slice(before).filter(({ msg }) => msg === 'answered')
    t.match(logged, [{ req: { path: '/ws' }, res: { status } }])
    t.equal(logged.length, 1)
    t.notMatch(JSON.stringify(chat.lines.slice(before)), ada.token.slice(-40))
  })
}

t.test('HTTP/1.0 is too old', async (t) => {
  const text = ['GET /ws HTTP/1.0', 'Host: test.example', ...linesOf(good), '', ''].join('\r\n')
  const socket = await openRaw(`http://127.0.0.1:${port}`, text)
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1\.1 426 .*sec-websocket-version: 13/is)
  socket.destroy()
})

t.test('the refusal of a token in the URL names the way', async (t) => {
  const { body } = answerOf(await sendRaw(port, `GET /ws?token=${ada.token}`, linesOf({})))
  t.match(body.detail, 'POST /tickets')
})

t.test('a refusal can be read by a page that may', async (t) => {
  const { headers } = answerOf(await sendRaw(port, 'GET /ws', linesOf({ origin: `Origin: ${PAGE}`, ...bearer('x') })))
  t.equal(headers['access-control-allow-origin'], PAGE)
})
