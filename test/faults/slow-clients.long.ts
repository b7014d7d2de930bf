import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, recordHistory } from './history.ts'

const EACH = 100
/** The service's own limit of 15 s, the second between two looks for such clients, and a margin, in milliseconds. */
const LONGEST_SENDING = 15_000 + 1000 + 4000

await buildFirst()

t.test('slow senders and idle connections hurt nobody, and are sent away', async (t) => {
  const { auth, resource } = await startPair(t, { RATE_LIMIT_PER_MINUTE: '0' })
  const paths = [
    [auth, '/login'],
    [resource, '/greet']
  ] as const
  for (const [{ url }, path] of paths) {
    const { send, operations } = recordHistory(() => url)
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n`
    const begun = Date.now()
    const sockets = await Promise.all(
      ['', head, `${head}\r\n{"email":`].flatMap((text) => Array.from({ length: EACH }, () => open(url, text)))
    )
    const gone = Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close'))).then(() => Date.now())
    let closed = 0
    gone.then((at) => {
      closed = at
    })
    while (closed === 0 && Date.now() < begun + LONGEST_SENDING) {
      await send('GET /healthz')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    t.ok(closed > 0, `${url}: all are gone after ${closed - begun} ms`)
    t.strictSame(
      operations.filter(({ status, ms }) => status !== 200 || ms > 1000),
      [],
      'and nobody else noticed'
    )
    everyAnswerIsClean(t, operations)
  }
})

t.test('a body without end, or far too long, is refused before it is read', async (t) => {
  const { auth } = await startPair(t)
  const head = 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`
  const bodies = {
    'of 10 MB': `${head}Content-Length: 10000000\r\n\r\n`,
    'in chunks': `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(32)}`
  }
  for (const [name, text] of Object.entries(bodies)) {
    const socket = await open(auth.url, text)
    const [answer] = await once(socket, 'data')
    t.match(String(answer), /^HTTP\/1\.1 413 /, name)
    socket.destroy()
  }
  t.equal((await fetch(`${auth.url}/healthz`)).status, 200)
})

async function open(url: string, text: string): Promise<net.Socket> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  socket.write(text)
  return socket
}
