import { once } from 'node:events'
import net, { type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { between } from '../../testing/src/between.ts'
import type { App } from '../src/app-type.ts'
import type { FrameConfig } from '../src/config.ts'
import { listen, startFrame } from './frame.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
/** Node adds at most this, for a request that is on its way when the time that the client was told has passed. */
const GRACE = 1000

async function startEmpty(t: Test, config: Partial<FrameConfig>): Promise<{ app: App; port: number }> {
  const { app } = await startFrame(t, (app) => void app.get('/', () => ({})), config)
  return { app, port: await listen(app) }
}

/** Opens a connection: the client's end and the service's. */
async function open(app: App, port: number): Promise<{ client: Socket; service: Socket }> {
  const accepted = once(app.server, 'connection')
  const client = net.connect(port, '127.0.0.1').setEncoding('utf8')
  return { client, service: (await accepted)[0] as Socket }
}

t.test(
  'the time of silence is that of a request until its answer is sent, then that of an idle connection',
  async (t) => {
    const { app, port } = await startEmpty(t, { KEEP_ALIVE_TIMEOUT: 620 })
    const { client, service } = await open(app, port)
    t.equal(service.timeout, 15_000, 'it has brought nothing yet')
    for (let i = 0; i < 2; i += 1) {
      const sent = new Promise((resolve) => {
        app.server.prependOnceListener('request', (_request, response) => {
          t.equal(service.timeout, 15_000, 'a request is under way')
          response.once('finish', resolve)
        })
      })
      client.write(REQUEST)
      t.match(await once(client, 'data'), [/^keep-alive: timeout=620$/im], 'its client is told')
      await sent
      between(t, service.timeout, { least: 620_000, most: 620_000 + GRACE })
    }
    client.destroy()
  }
)

t.test('an idle connection outlives the time of silence, and ends after its own', async (t) => {
  const { app, port } = await startEmpty(t, { KEEP_ALIVE_TIMEOUT: 1 })
  // In place of 15 s.
  app.server.timeout = 200
  const ends: string[] = []
  const ended = async (name: string, sent: string) => {
    const { client } = await open(app, port)
    const begun = performance.now()
    client.write(sent)
    await text(client)
    ends.push(name)
    return performance.now() - begun
  }
  const [silent, idle] = await Promise.all([ended('silent', 'GET / HTTP/1.1\r\n'), ended('idle', REQUEST)])
  t.strictSame(ends, ['silent', 'idle'])
  between(t, silent, { least: 190 })
  between(t, idle, { least: 990 })
})
