import { once } from 'node:events'
import { between } from '@latchkey/testing/between'
import { openRaw } from '@latchkey/testing/raw-http'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'

/** The promise of 10 s, in milliseconds; a service cuts such clients off after 8 s. */
const LONGEST_END = 10_000

await buildFirst()

t.test('clients that send half a request and wait hold up no end, and a second SIGTERM changes nothing', async (t) => {
  const { auth, resource } = await startPair(t)
  const begun = Date.now()
  await Promise.all(
    [auth, resource].map(async ({ url, stop }) => {
      const post = 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n'
      const idle = await openRaw(url, '')
      const halfHead = await openRaw(url, post)
      const halfBody = await openRaw(url, `${post}\r\n{"email":`)
      const second = await openRaw(url, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(second, 'data')
      second.write(post)
      const ends = [idle, halfHead, halfBody, second].map((socket) => once(socket, 'close'))
      t.strictSame(await Promise.all([stop(), stop()]), [0, 0], url)
      await Promise.all(ends)
    })
  )
  between(t, Date.now() - begun, { most: LONGEST_END }, 'milliseconds until all had ended')
})
