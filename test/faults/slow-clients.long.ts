import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import { openRaw } from '@latchkey/testing/raw-http'
import t, { type Test } from 'tap'
import { type Service, startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, type History, percentile, recordHistory, UNFORESEEN } from './history.ts'

const IDLE = 1000
const SLOW = 100
/** The service's own limit of 15 s, the second between two looks for such clients, and a margin, in milliseconds. */
const LONGEST_SENDING = 15_000 + 1000 + 4000
/** Node looks a second time whether an answer is taken, after another 15 s. */
const LONGEST_TAKING = LONGEST_SENDING + 15_000
/** The promise is twice of what it was before; a machine that is busy with tests is allowed so much anyway, in ms. */
const ALWAYS_GOOD = 100
/** A second connection to the database, which nobody uses any more, is closed after 10 s; and a margin, in milliseconds. */
const LONGEST_UNUSED = 10_000 + 5000
/** What the memory of a process may grow by, in bytes: less than what it was sent. */
const LARGEST_GROWTH = 100e6

const UNREAD = 'closed before an answer was read'

await buildFirst()
const { auth, resource } = await startPair(t, { RATE_LIMIT_PER_MINUTE: '0' })
const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
const { send } = recordHistory(() => auth.url)
await send('POST /signup', { body: ada })
const login = await send('POST /login', { body: { email: ada.email, password: ada.password } })
const token = login.body['access_token']
const targets = [
  { service: auth, own: 'GET /me', path: '/login' },
  { service: resource, own: 'GET /greet', path: '/greet' }
]

t.test('slow senders and idle connections hurt nobody, and are sent away', async (t) => {
  await Promise.all(
    targets.map(async ({ service, own, path }) => {
      const normal = recordHistory(() => service.url)
      for (let i = 0; i < 200; i += 1) await normal.send(own, { token })
      const before = await usage(service)
      const during = recordHistory(() => service.url)
      const begun = Date.now()
      const sockets = await openSlow(service, path)
      let gone = 0
      const closing = Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')))
      closing.then(() => {
        gone = Date.now() - begun
      })
      while (gone === 0 && Date.now() < begun + LONGEST_SENDING) {
        await during.send(own, { token })
        await sleep(10)
      }
      between(t, gone, { least: 1 }, `${service.url}: ${sockets.length} connections were gone after ${gone} ms`)
      noSlower(t, during, normal)
      await atMost(t, service, before)
      everyAnswerIsClean(t, during.operations)
    })
  )
})

t.test('input without end, or far too much of it, is refused, and costs no memory', async (t) => {
  const post = 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  const withBody = (body: string) => `${post}Content-Length: ${body.length}\r\n\r\n${body}`
  const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`
  const headers = Array.from({ length: 2000 }, (_, i) => `x-${i}: y\r\n`).join('')
  const inputs: [name: string, text: string, status: string][] = [
    ['a body of 10 MB', withBody('x'.repeat(10e6)), '413'],
    ['chunks without end', `${post}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(100)}`, '413'],
    ['deep arrays', withBody('['.repeat(30_000) + ']'.repeat(30_000)), '400'],
    ['deep objects', withBody('{"a":'.repeat(10_000) + 1 + '}'.repeat(10_000)), '400'],
    ['a header of 64 kB', `GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: ${'x'.repeat(64e3)}\r\n\r\n`, '431'],
    // They are fewer bytes than a head may have.
    ['2,000 short headers', `GET /healthz HTTP/1.1\r\nHost: x\r\n${headers}\r\n`, '200']
  ]
  for (const { service } of targets) {
    const before = await usage(service)
    for (const [name, text, status] of inputs) {
      const lines: string[] = []
      for (let i = 0; i < 30; i += 1) lines.push(await firstLine(service.url, text))
      // Who is still sending when the connection ends may not come to read why. A body is looked at before its path is.
      const others = lines.filter((line) => !line.startsWith(`HTTP/1.1 ${status}`) && line !== UNREAD)
      t.strictSame(others, [], name)
      if (text.length < 1e6)
        t.not(
          lines.find((line) => line !== UNREAD),
          undefined,
          `${name}: somebody read it`
        )
    }
    await atMost(t, service, before)
    t.equal((await recordHistory(() => service.url).send('GET /healthz')).status, 200)
    t.notMatch(service.output(), UNFORESEEN)
  }
})

t.test('clients that do not take their answers are sent away', async (t) => {
  const request = 'GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n'
  await Promise.all(
    targets.map(async ({ service }) => {
      const before = await usage(service)
      const sockets = await Promise.all(Array.from({ length: 50 }, () => openRaw(service.url, '')))
      for (const socket of sockets) socket.pause().write(request.repeat(20))
      await sleep(1000)
      const during = await usage(service)
      // A connection to the database may have ended meanwhile.
      if (before && during) between(t, during.files, { least: before.files + sockets.length / 2 }, 'open files')
      await sleep(LONGEST_TAKING)
      await atMost(t, service, before)
      for (const socket of sockets) socket.destroy()
    })
  )
})

function noSlower(t: Test, during: History, normal: History): void {
  const [now, then] = [percentile(during.operations, 99), percentile(normal.operations, 99)]
  const wrong = during.operations.filter(({ status }) => status !== 200)
  t.strictSame(wrong, [], `${during.operations.length} others are answered`)
  between(t, now, { most: Math.max(2 * then, ALWAYS_GOOD) }, `99 % of them within ${now} ms, before it ${then} ms`)
}

async function openSlow({ url }: Service, path: string): Promise<Socket[]> {
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n`
  const sockets: Socket[] = []
  for (const [text, count] of [['', IDLE] as const, [head, SLOW] as const, [`${head}\r\n{"email":`, SLOW] as const]) {
    for (let i = 0; i < count; i += 1) sockets.push(await openRaw(url, text))
  }
  return sockets
}

// Of the first answer, whatever becomes of the connection.
async function firstLine(url: string, text: string): Promise<string> {
  const socket = await openRaw(url, text)
  const line = await new Promise<string>((resolve) => {
    socket.on('data', (bytes) => resolve(String(bytes).split('\r\n', 1)[0] ?? ''))
    socket.on('close', () => resolve(UNREAD))
  })
  socket.destroy()
  return line
}

interface Usage {
  readonly memory: number
  readonly files: number
}

// Only Linux tells; elsewhere there is nothing to compare.
async function usage({ pid }: Service): Promise<Usage | undefined> {
  if (process.platform !== 'linux') return undefined
  const [, pages] = (await readFile(`/proc/${pid()}/statm`, 'utf8')).split(' ').map(Number)
  return { memory: (pages ?? 0) * 4096, files: (await readdir(`/proc/${pid()}/fd`)).length }
}

async function atMost(t: Test, service: Service, before: Usage | undefined): Promise<void> {
  let after = await usage(service)
  if (!before || !after) return t.comment('memory and files are not looked at, because this is not Linux')
  for (const end = Date.now() + LONGEST_UNUSED; after && after.files > before.files && Date.now() < end; ) {
    await sleep(100)
    after = await usage(service)
  }
  if (!after) return
  between(t, after.files, { most: before.files }, 'open files')
  const [was, is] = [before.memory, after.memory].map((bytes) => Math.round(bytes / 1e6))
  between(t, after.memory - before.memory, { most: LARGEST_GROWTH }, `${was} MB before, ${is} MB after`)
}
