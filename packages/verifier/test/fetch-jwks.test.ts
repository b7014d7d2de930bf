import { EventEmitter, once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { SYSTEM_CLOCK } from '../src/clock.ts'
import { type FetchSettings, fetchJwks } from '../src/fetch-jwks.ts'

const LIMIT = 256 * 1024
const SET = '{"keys":[]}'

/** Listens on the loopback interface and answers as it is told. */
async function issuer(
  t: Test,
  answer: RequestListener
): Promise<{ settings: FetchSettings; asked: IncomingHttpHeaders[]; server: Server }> {
  const asked: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  return {
    settings: { url, timeout: 5, closing: new AbortController().signal, fetch: globalThis.fetch, clock: SYSTEM_CLOCK },
    asked,
    server
  }
}

t.test('the text of a good answer comes with its ETag and its age', async (t) => {
  const { settings, asked } = await issuer(t, (_, answer) =>
    answer.writeHead(200, { etag: '"1"', 'cache-control': 'public, max-age=300', age: '100' }).end(SET)
  )
  t.same(await fetchJwks(settings, undefined), { text: SET, etag: '"1"', maxAge: 200 })
  t.match(asked, [{ accept: 'application/jwk-set+json, application/json' }])
  t.equal(asked[0]?.['if-none-match'], undefined)
})

t.test('an answer that says nothing about itself has neither', async (t) => {
  const { settings } = await issuer(t, (_, answer) => answer.end(SET))
  t.same(await fetchJwks(settings, undefined), { text: SET })
})

t.test('304 to our ETag is an unchanged set, which keeps the ETag', async (t) => {
  const { settings, asked } = await issuer(t, (_, answer) =>
    answer.writeHead(304, { 'cache-control': 'max-age=60' }).end()
  )
  t.same(await fetchJwks(settings, '"1"'), { etag: '"1"', maxAge: 60 })
  t.match(asked, [{ 'if-none-match': '"1"' }])
})

t.test('304 to nothing is no answer', async (t) => {
  const { settings } = await issuer(t, (_, answer) => answer.writeHead(304).end())
  await t.rejects(fetchJwks(settings, undefined), { message: 'the issuer answered 304' })
})

t.test('an empty ETag is none', async (t) => {
  const { settings, asked } = await issuer(t, (_, answer) => answer.end(SET))
  await fetchJwks(settings, '')
  t.equal(asked[0]?.['if-none-match'], undefined)
})

t.test('any other status is no answer', async (t) => {
  let status = 0
  const { settings } = await issuer(t, (_, answer) => answer.writeHead(status).end(status === 204 ? '' : SET))
  for (status of [201, 203, 204, 206, 400, 401, 403, 404, 410, 429, 500, 502, 503]) {
    await t.rejects(fetchJwks(settings, '"1"'), { message: `the issuer answered ${status}` })
  }
})

t.test('no redirect is followed', async (t) => {
  const { settings: elsewhere, asked } = await issuer(t, (_, answer) => answer.end(SET))
  let status = 0
  const { settings } = await issuer(t, (_, answer) => answer.writeHead(status, { location: elsewhere.url }).end())
  for (status of [300, 301, 302, 303, 307, 308]) {
    await t.rejects(fetchJwks(settings, undefined), { message: `the issuer answered ${status}` })
  }
  t.same(asked, [])
})

t.test('an answer of 256 KiB is read and one of a byte more is not', async (t) => {
  let size = LIMIT
  const { settings } = await issuer(t, (_, answer) => answer.end('x'.repeat(size)))
  t.equal((await fetchJwks(settings, undefined)).text?.length, LIMIT)
  size += 1
  await t.rejects(fetchJwks(settings, undefined), { message: /larger than 262144 bytes/ })
})

t.test('an endless answer is cut off at the limit, and its connection with it', async (t) => {
  const happened = new EventEmitter()
  const cut = once(happened, 'cut')
  const { settings } = await issuer(t, (_, answer) => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const pour = () => {
      while (!answer.destroyed && answer.write(chunk));
      answer.once('drain', pour)
    }
    answer.on('close', () => happened.emit('cut'))
    pour()
  })
  await t.rejects(fetchJwks(settings, undefined), { message: /larger than/ })
  await cut
})

t.test('what is small on the way and large when unpacked is too large', async (t) => {
  const { settings } = await issuer(t, (_, answer) =>
    answer.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000)))
  )
  await t.rejects(fetchJwks(settings, undefined), { message: /larger than/ })
})

const SILENCES: Record<string, (answer: ServerResponse) => void> = {
  'that says nothing': () => {},
  'that sends its headers and no more': (answer) => answer.writeHead(200).flushHeaders(),
  'that sends a byte now and then': (answer) => {
    const drip = setInterval(() => answer.write(' '), 5)
    answer.on('close', () => clearInterval(drip))
  }
}

t.test('the time limit is for the whole answer', async (t) => {
  for (const [name, silence] of Object.entries(SILENCES)) {
    const { settings } = await issuer(t, (_, answer) => silence(answer))
    await t.rejects(fetchJwks({ ...settings, timeout: 0.07 }, undefined), { name: 'TimeoutError' }, `an issuer ${name}`)
  }
})

t.test('a fetch that nobody wants any more ends at once', async (t) => {
  const happened = new EventEmitter()
  const { settings } = await issuer(t, () => happened.emit('asked'))
  const closing = new AbortController()
  const asked = once(happened, 'asked')
  const fetching = fetchJwks({ ...settings, closing: closing.signal }, undefined)
  await asked
  closing.abort()
  await t.rejects(fetching, { name: 'AbortError' })
})

t.test('once the answer is there nothing ends it any more, neither the time limit nor a close', async (t) => {
  const closing = new AbortController()
  let signal: AbortSignal | null | undefined
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    signal = init?.signal
    return new Response(SET)
  }
  await fetchJwks(
    { url: 'https://auth.example.com/', timeout: 0.005, closing: closing.signal, fetch, clock: SYSTEM_CLOCK },
    undefined
  )
  await new Promise((resolve) => setTimeout(resolve, 20))
  closing.abort()
  t.equal(signal?.aborted, false)
})

t.test('304 with the length of what it does not send leaves no connection behind that waits', async (t) => {
  const { settings, server } = await issuer(t, (_, answer) => answer.writeHead(304, { 'content-length': 4 }).end())
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  for (let i = 0; i < 5; i += 1) await fetchJwks({ ...settings, timeout: 0.05 }, '"1"')
  const asked = connections
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(connections, asked, 'none is opened when the time limit is over')
})

t.test('a fetch after the close is none', async (t) => {
  const { settings, asked } = await issuer(t, (_, answer) => answer.end(SET))
  await t.rejects(fetchJwks({ ...settings, closing: AbortSignal.abort() }, undefined), { name: 'AbortError' })
  t.same(asked, [])
})

t.test('an answer cut off, or not in UTF-8, is none, and so is an issuer that is not there', async (t) => {
  const { settings: cutOff } = await issuer(t, (_, answer) => {
    answer.writeHead(200, { 'content-length': 100 }).write(SET)
    answer.destroy()
  })
  await t.rejects(fetchJwks(cutOff, undefined))
  const { settings: latin1 } = await issuer(t, (_, answer) => answer.end(Buffer.from([0x22, 0xe9, 0x22])))
  await t.rejects(fetchJwks(latin1, undefined), TypeError)
  await t.rejects(fetchJwks({ ...latin1, url: 'http://127.0.0.1:1/' }, undefined), TypeError)
})

const AGES: Record<string, { headers: Record<string, string>; maxAge: number | undefined }> = {
  'no header': { headers: {}, maxAge: undefined },
  'max-age': { headers: { 'cache-control': 'max-age=300' }, maxAge: 300 },
  'max-age among others': { headers: { 'cache-control': 'public, max-age=300, must-revalidate' }, maxAge: 300 },
  'max-age in upper case': { headers: { 'cache-control': 'MAX-AGE=300' }, maxAge: 300 },
  'max-age in quotes': { headers: { 'cache-control': 'max-age="300"' }, maxAge: 300 },
  'max-age 0': { headers: { 'cache-control': 'max-age=0' }, maxAge: 0 },
  'max-age less the age': { headers: { 'cache-control': 'max-age=300', age: '299' }, maxAge: 1 },
  'an age beyond max-age': { headers: { 'cache-control': 'max-age=300', age: '301' }, maxAge: 0 },
  'an age that is no number': { headers: { 'cache-control': 'max-age=300', age: 'old' }, maxAge: 300 },
  'an age without end': { headers: { 'cache-control': 'max-age=300', age: 'Infinity' }, maxAge: 0 },
  'an age alone': { headers: { age: '10' }, maxAge: undefined },
  's-maxage alone, which is for shared caches': { headers: { 'cache-control': 's-maxage=300' }, maxAge: undefined },
  'a negative max-age': { headers: { 'cache-control': 'max-age=-1' }, maxAge: undefined },
  'no-store': { headers: { 'cache-control': 'no-store' }, maxAge: 0 },
  'no-cache beside max-age': { headers: { 'cache-control': 'max-age=300, no-cache' }, maxAge: 0 },
  'other words': { headers: { 'cache-control': 'private, immutable' }, maxAge: undefined }
}

t.test('an answer may be kept as long as Cache-Control and Age say', async (t) => {
  const settings = {
    url: 'https://auth.example.com/',
    timeout: 5,
    closing: new AbortController().signal,
    clock: SYSTEM_CLOCK
  }
  for (const [name, { headers, maxAge }] of Object.entries(AGES)) {
    const fetch = async () => new Response(SET, { headers })
    t.equal((await fetchJwks({ ...settings, fetch }, undefined)).maxAge, maxAge, name)
  }
})
