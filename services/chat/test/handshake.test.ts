// The table of handshakes in PROTOCOL.md, row by row, by raw sockets.
import { once } from 'node:events'
import { runAsOwner } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import { openRaw, type RawAnswer, sendRaw } from '@latchkey/testing/raw-http'
import { accessToken, makeKey, refreshClaims } from '@latchkey/testing/tokens'
import t from 'tap'
import { type Chat, ISSUER, startChat } from './app.ts'
import { connect, dial, portOf } from './socket.ts'

const PAGE = 'https://page.example'
const chat = await startChat(t, { DRAIN_TIME: '0s', CORS_ORIGINS: PAGE })
const port = await portOf(chat)
const ada = chat.user('Ada')
const stranger = await makeKey()
const now = Math.floor(Date.now() / 1000)
const good = { authorization: `Authorization: Bearer ${ada.token}` }

const HEADERS = {
  connection: 'Connection: Upgrade',
  upgrade: 'Upgrade: websocket',
  version: 'Sec-WebSocket-Version: 13',
  key: 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='
}

/** A handshake that differs from a good one: header lines by their names, with null those that are missing. */
type Lines = Readonly<Record<string, string | readonly string[] | null>>

function linesOf(lines: Lines): string[] {
  return Object.values({ ...HEADERS, ...lines }).flatMap((line) => line ?? [])
}

async function ticket(of: Chat = chat, user = ada): Promise<string> {
  return (await of.send(user, 'POST /tickets')).body.ticket
}

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
const bearer = (token: string) => ({ authorization: `Authorization: Bearer ${token}` })

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

function answerOf({ status, headers, body }: RawAnswer) {
  const single = Object.fromEntries([...headers].map(([name, values]) => [name, values.join(', ')]))
  return { status, headers: single, body: body === '' ? {} : JSON.parse(body) }
}

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

t.test(
  'opened by header, subprotocol and ticket, from no page, an allowed one, and one of the same host',
  async (t) => {
    const byHeader = await connect(t, chat, ada)
    t.equal(byHeader.socket.protocol, '')
    const named = await connect(t, chat, ada, { protocols: ['latchkey.chat.v1'], headers: { ...header(ada.token) } })
    t.equal(named.socket.protocol, 'latchkey.chat.v1')
    const byProtocol = await connect(t, chat, ada, { protocols: ['latchkey.chat.v1', `bearer.${ada.token}`] })
    t.equal(byProtocol.socket.protocol, 'latchkey.chat.v1', 'and never the token')
    await connect(t, chat, ada, { query: `?ticket=${await ticket()}` })
    for (const origin of [PAGE, `http://127.0.0.1:${port}`]) await connect(t, chat, ada, { headers: { origin } })
    t.match(chat.lines.at(-1), { msg: 'answered', req: { path: '/ws' }, res: { status: 101 } })
  }
)

t.test('a ticket opens one socket, and a foreign page does not burn it', async (t) => {
  const one = await ticket()
  const line = `GET /ws?ticket=${one}`
  t.equal((await sendRaw(port, line, linesOf({ origin: 'Origin: https://evil.example' }))).status, 403)
  await connect(t, chat, ada, { query: `?ticket=${one}` })
  isProblem(t, answerOf(await sendRaw(port, line, linesOf({}))), 'invalid_token')
})

t.test('a ticket is no better than its token', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s' })
  const bob = own.user('Bob', { epoch: 1 })
  const old = await ticket(own, bob)
  const soon = { ...bob, token: bob.tokenWith({ exp: now + 1 }) }
  const late = await ticket(own, soon)
  const over = await ticket(own, bob)
  await runAsOwner(
    own.url,
    `UPDATE tickets SET expires_at = now() - interval '1 second' WHERE hash = sha256('${over}')`
  )
  await connect(t, own, bob, { token: bob.tokenWith({ epoch: 2 }) })
  while (Date.now() / 1000 < now + 1) await new Promise((resolve) => setTimeout(resolve, 50))
  for (const one of [old, late, over]) {
    const answer = await sendRaw(await portOf(own), `GET /ws?ticket=${one}`, linesOf({}))
    isProblem(t, answerOf(answer), 'invalid_token')
  }
})

t.test('while the database is away, a token opens no less than before, and a ticket waits', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s', ANSWER_TIMEOUT: '500ms' })
  const bob = own.user('Bob')
  await connect(t, own, bob)
  const one = await ticket(own, bob)
  await runAsOwner(own.url, 'ALTER TABLE tickets RENAME TO gone')
  isProblem(t, answerOf(await sendRaw(await portOf(own), `GET /ws?ticket=${one}`, linesOf({}))), 'unavailable')
  await connect(t, own, bob)
})

t.test('as many sockets as SOCKETS_MAX, and as SOCKETS_PER_USER', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s', SOCKETS_MAX: '3', SOCKETS_PER_USER: '2' })
  const [bob, cyd] = [own.user('Bob'), own.user('Cyd')]
  const first = await connect(t, own, bob)
  await connect(t, own, bob)
  const third = await dial(t, own, bob)
  t.same(await third.closed, { code: 1008, reason: 'too_many_sockets' })
  t.same(third.messages, [])
  await connect(t, own, cyd)
  const full = await sendRaw(await portOf(own), 'GET /ws', linesOf(bearer(own.user('Dan').token)))
  isProblem(t, answerOf(full), 'unavailable')
  first.socket.close()
  await first.closed
  await connect(t, own, own.user('Dan'))
})

t.test('a service that stops opens no more', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s' })
  const [bob, at] = [own.user('Bob'), await portOf(own)]
  const stopping = own.app.close()
  isProblem(t, answerOf(await sendRaw(at, 'GET /ws', linesOf(bearer(bob.token)))), 'unavailable')
  await stopping
})

function header(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}
