import { randomUUID } from 'node:crypto'

/** Stands in every text that a client makes up here, and so may stand in no line of a log. */
export const CANARY = 'canary'

/** What goes over the wire, one character a byte. */
export type Bytes = string

const HEAD_LIMIT = 16 * 1024
const BODY_LIMIT = 64 * 1024

/** A head takes so much at the most, less what is said besides. */
const LONG = HEAD_LIMIT - 600

/** As many of a text as fill so many characters. */
export function fill(text: string, length = LONG): string {
  return text.repeat(Math.ceil(length / text.length)).slice(0, length)
}

/** A request on a connection of its own. */
export function request(line: string, headers: readonly string[] = [], body?: string): Bytes {
  const [method, target] = line.split(' ')
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]
  const head = [`${method} ${target} HTTP/1.1`, 'Host: test.example', 'Connection: close', ...headers, ...length]
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`
}

/** What looks like a token, and is as long as one may be. */
const TOKEN = `eyJ${fill('aGVhZGVy', 500)}.eyJ${fill(CANARY, 4000)}.${fill('c2lnbmF0dXJl', 343)}`

const percent = (text: string) => text.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`)

/** C1 controls, which some terminals obey, and what is left of bidi controls in latin1. */
const CONTROLS = '\x9b31m\x85\x9d\xe2\x80\xae\xc2\x9b'

const TARGETS: Record<string, string> = {
  'many members in the query': `?${fill(`a&b&c&${CANARY}&`)}`,
  'many members of one name': `?${fill('a=1&')}`,
  'a long name in the query': `?${fill(CANARY)}`,
  'quotation marks in the query': `?${fill('"\\&')}`,
  'controls in the query': `?${fill('%C2%9B%E2%80%AE%0A&')}`,
  'what is no UTF-8 in the query': `?${fill('%FF%C0&')}`,
  'a token in the query': `?access_token=${TOKEN}`,
  'a token as the query': `?${TOKEN}`,
  'many members and a prototype': `?${fill('__proto__=1&constructor[prototype]=1&')}`,
  'a long path behind it': `/${fill(CANARY)}`,
  'a token behind it': `/${TOKEN}`,
  'a percent-encoded token behind it': `/${percent(TOKEN.slice(0, 3000))}`,
  'a token encoded twice behind it': `/${percent(percent(TOKEN.slice(0, 1000)))}`,
  'many parts behind it': fill('/a'),
  'slashes behind it': fill('/'),
  'dots behind it': fill('/..%2f'),
  'what cannot be decoded behind it': `/%zz${fill(CANARY)}`,
  'controls behind it': `/${fill('%1B%5B2J%C2%9B%E2%80%AE%E2%80%A8')}`,
  'bytes beyond ASCII behind it': `/${fill('\x9b\xff\xe2\x80\xae')}`,
  'quotation marks behind it': `/${fill('"\\{}')}`
}

const HEADERS: Record<string, string[]> = {
  'a long User-Agent': [`User-Agent: ${fill(CANARY)}`],
  'controls as User-Agent': [`User-Agent: ${fill(CONTROLS)}`],
  'a token as User-Agent': [`User-Agent: ${TOKEN}`],
  'a long token': [`Authorization: Bearer ${fill(CANARY)}`],
  'what looks like a token': [`Authorization: Bearer ${TOKEN}`],
  'a token that is a header alone': [
    `Authorization: Bearer ${Buffer.from(`{"alg":"${fill(CANARY, 9000)}"}`).toString('base64url')}.e30.`
  ],
  'many words after Bearer': [`Authorization: Bearer ${fill(`${CANARY} `)}`],
  'another scheme': [`Authorization: Basic ${fill(CANARY)}`],
  'two Authorization headers': [`Authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${CANARY}`],
  'many Authorization headers': Array(400).fill(`Authorization: Bearer ${CANARY}`),
  'a long If-None-Match': [`If-None-Match: ${fill('"canary", W/"x", ')}`],
  'a forwarded address that is none': [`X-Forwarded-For: ${fill(CANARY)}`],
  'many forwarded addresses': [`X-Forwarded-For: ${fill('127.0.0.1, ')}1.1.1.1`],
  'controls as a forwarded address': [`X-Forwarded-For: ${fill(CONTROLS)}`],
  'many X-Forwarded-For': Array(700).fill('X-Forwarded-For: 127.0.0.1'),
  'a long Origin': [`Origin: https://${fill(CANARY)}`],
  'a preflight of its own': [`Origin: ${CANARY}`, `Access-Control-Request-Headers: ${fill(`${CANARY},`)}`],
  'a long Cookie': [`Cookie: token=${TOKEN}; ${fill(`${CANARY}=1; `, 9000)}`],
  'a long Content-Type': [`Content-Type: ${fill(CANARY)}`],
  'a long id of the request': [`X-Request-Id: ${fill(CANARY)}`, `Traceparent: ${CANARY}`],
  'many headers': Array.from({ length: 1000 }, (_, i) => `X-${i}: ${CANARY}`),
  'a long name of a header': [`${fill(CANARY)}: 1`],
  'another expectation': [`Expect: ${fill(CANARY)}`],
  'an upgrade': ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Protocol: ${fill(CANARY)}`],
  'a long Accept and version': [`Accept: ${fill(`${CANARY},`, 8000)}`, `Accept-Version: ${fill(CANARY, 5000)}`]
}

/** What is no request as it should be. */
const MALFORMED: Record<string, Bytes> = {
  'a head that is too large': request('GET /', [`X: ${fill(CANARY, HEAD_LIMIT + 1000)}`]),
  'a target that is too long': request(`GET /${fill(CANARY, HEAD_LIMIT + 1000)}`),
  'no HTTP': `${CANARY}\r\n\r\n`,
  controls: `${fill(CONTROLS)}\r\n\r\n`,
  'an unknown method': request(`${CANARY.toUpperCase()} /`),
  'no version': `GET /${CANARY}\r\n\r\n`,
  'another version': `GET /${CANARY} HTTP/9.9\r\nHost: x\r\n\r\n`,
  'no Host': `GET /${CANARY} HTTP/1.1\r\n\r\n`,
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  TLS: `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${fill(CANARY, 500)}`,
  'a NUL in a header': request('GET /', [`X: ${CANARY}\0`]),
  'a header without a colon': request('GET /', [CANARY]),
  'a bad chunk': `POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n${CANARY}\r\n`,
  'both lengths': request('POST /login', ['Transfer-Encoding: chunked'], CANARY),
  'two lengths': request('POST /login', ['Content-Length: 1'], CANARY),
  'a whole URL as target': request(`GET http://${fill(CANARY)}/`),
  'an asterisk as target': request('OPTIONS *'),
  'a tunnel': request(`CONNECT ${CANARY}:443`)
}

const json = 'Content-Type: application/json'

const wide = (member: (i: number) => string) => {
  const members: string[] = []
  for (let i = 0, length = 2; length < BODY_LIMIT - 200; i += 1) {
    members.push(member(i))
    length += (members.at(-1)?.length ?? 0) + 1
  }
  return `{${members.join()}}`
}

const BODIES: Record<string, [body: string, headers?: string[]]> = {
  'many members': [wide((i) => `"${CANARY}${i}":${i}`)],
  'members with long names': [wide((i) => `"${i}${fill(CANARY, 2000)}":1`)],
  'one member with a long name': [`{"${fill(CANARY, BODY_LIMIT - 20)}":1}`],
  'members with controls as names': [wide((i) => `"\\u009b\\u202e\\n${i}":1`)],
  'tokens as names': [wide((i) => `"${TOKEN}${i}":1`)],
  depth: [`${fill('[', BODY_LIMIT / 2)}${fill(']', BODY_LIMIT / 2)}`],
  'depth in a member': [`{"email":${fill('[', BODY_LIMIT / 2 - 10)}${fill(']', BODY_LIMIT / 2 - 10)}}`],
  'a long list': [`{"email":[${fill('"canary",', BODY_LIMIT - 30)}1]}`.replace(',,', ',')],
  'long texts in every field': [
    `{"email":"${fill(CANARY, 20_000)}","username":"${fill(CANARY, 20_000)}","password":"${fill(CANARY, 20_000)}"}`
  ],
  'what is no JSON': [fill(CANARY, BODY_LIMIT)],
  'JSON that ends early': [`{"password":"${fill(CANARY, BODY_LIMIT - 20)}`],
  'what is no UTF-8': [fill('\xff', BODY_LIMIT)],
  'a member twice': [`{"password":"${CANARY}","password":"${CANARY}"}`],
  'a prototype': [`{"__proto__":{"${CANARY}":1}}`],
  'too much': [fill(CANARY, BODY_LIMIT + 1)],
  'another type': [CANARY, [`Content-Type: ${CANARY}/${fill(CANARY)}`]],
  compression: [CANARY, [json, `Content-Encoding: ${fill(CANARY)}`]]
}

/** Requests with the worst of everything, for a service with these endpoints: `GET /path`, with `:id` where it has one. */
export function worstRequests(endpoints: readonly string[]): Map<string, Bytes> {
  const all = new Map(Object.entries(MALFORMED))
  for (const endpoint of endpoints) {
    const line = endpoint.replace(':id', randomUUID())
    for (const [name, target] of Object.entries(TARGETS)) all.set(`${endpoint}: ${name}`, request(line + target))
    for (const [name, headers] of Object.entries(HEADERS)) all.set(`${endpoint}: ${name}`, request(line, headers))
    if (endpoint.includes(':id')) all.set(`${endpoint}: a long id`, request(endpoint.replace(':id', fill(CANARY))))
    if (line.startsWith('GET')) continue
    for (const [name, [body, headers = [json]]] of Object.entries(BODIES)) {
      all.set(`${endpoint}: ${name}`, request(line, headers, body))
    }
  }
  return all
}
