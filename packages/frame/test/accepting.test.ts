import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { between } from '../../testing/src/between.ts'
import { listen, startFrame } from './frame.ts'

t.test('clients who queue to be let in are let in before any request begins', async (t) => {
  const CLIENTS = 20
  let [clients, early] = [0, 0]
  const { app } = await startFrame(t, (app) => {
    app.get('/', () => {
      if (clients < CLIENTS) early += 1
      return {}
    })
  })
  app.server.on('connection', () => {
    clients += 1
  })
  const port = await listen(app)
  const queue = async () => {
    clients = 0
    early = 0
    const sockets = Array.from({ length: CLIENTS }, () => net.connect(port, '127.0.0.1').setEncoding('utf8'))
    const answers = sockets.map((socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      return once(socket, 'data')
    })
    for (const answer of answers) t.match(await answer, [/^HTTP\/1\.1 200 /])
    return early
  }
  // Requests are not held for long, and the test may have to wait for its core.
  for (let round = 0; round < 10 && (await queue()) > 0; round += 1);
  t.equal(early, 0)
})

t.test('clients who come without end do not keep requests waiting', async (t) => {
  const { app } = await startFrame(t, (app) => void app.get('/', () => ({})))
  const port = await listen(app)
  let over = false
  const flood = (async () => {
    while (!over) {
      const socket = net.connect(port, '127.0.0.1').on('error', () => {})
      await new Promise((resolve) => setImmediate(resolve))
      socket.destroy()
    }
  })()
  const took: number[] = []
  for (let i = 0; i < 5; i += 1) {
    const begun = performance.now()
    t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
    took.push(performance.now() - begun)
  }
  over = true
  await flood
  // The test may have to wait for its core, but not always.
  between(t, Math.min(...took), { most: 500 }, `${took.map(Math.round)} ms`)
})
