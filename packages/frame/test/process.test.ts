import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { addressOf, startChild } from '@latchkey/testing/child'
import t, { type Test } from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'

const FIXTURE = new URL('./process-fixture.mjs', import.meta.url)
const start = (t: Test, env: Record<string, string> = {}) => startChild(t, FIXTURE, { PORT: '0', ...env })

function connects(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(new URL(address).port), '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

t.test(
  'SIGHUP is no end; SIGTERM is, lets open requests be answered and no new ones in; more change nothing',
  async (t) => {
    const child = start(t)
    const address = await addressOf(child)
    child.process.kill('SIGHUP')
    for (let i = 0; i < 3; i += 1) t.equal((await fetch(address)).status, 200)
    const [request] = [fetch(`${address}/slow`), await once(child.process, 'message')]
    child.process.kill('SIGTERM')
    await child.find(/"stopping"/)
    child.process.kill('SIGTERM')
    child.process.kill('SIGINT')
    while (await connects(address));
    child.process.send('go on')
    const answer = await request
    t.strictSame([answer.status, await answer.json()], [200, { ok: true }])
    const { code, stdout, stderr } = await child.ended
    t.strictSame([code, stderr], [0, ''])
    t.equal(stdout.split('"stopping"').length, 2, 'it began to stop once')
    for (const said of ['"why":"SIGTERM"', '"everything is put away"', '"stopped"']) t.match(stdout, said)
  }
)

t.test('the driver of the database does not load fetch, which few services need at the start', async (t) => {
  const answer = await fetch(`${await addressOf(start(t))}/driver`)
  t.strictSame(await answer.json(), { asksForFetch: false })
})

t.test('it ends when the process that started it is gone', async (t) => {
  const child = start(t)
  await addressOf(child)
  child.process.disconnect()
  const { code, stdout } = await child.ended
  t.equal(code, 0)
  for (const said of ['"why":"the starting process is gone"', '"everything is put away"', '"stopped"'])
    t.match(stdout, said)
})

t.test('a signal that comes before it is up ends it too', async (t) => {
  const child = start(t, { START: 'never' })
  await once(child.process, 'message')
  child.process.kill('SIGINT')
  const { code, stderr } = await child.ended
  t.strictSame([code, stderr], [0, ''])
})

t.test('a port that is taken is said to be', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const { code, stderr } = await start(t, { PORT: String(port) }).ended
  t.equal(code, 1)
  const said = `fixture: listen EADDRINUSE: address already in use 127.0.0.1:${port}. Stop what listens there, or set another PORT.\n`
  t.equal(stderr, said)
})

t.test('settings that are wrong are all said, without a stack', async (t) => {
  const { code, stderr } = await start(t, { PORT: 'x', LOG_LEVEL: 'x' }).ended
  t.equal(code, 1)
  t.match(
    stderr,
    /^fixture: cannot start, because these settings need a look:\n {2}LOG_LEVEL must .+\n {2}PORT must .+\n$/
  )
})

t.test('so is what an operator can put right, but a fault of the program comes with its stack', async (t) => {
  const refused = await start(t, { START: 'refused' }).ended
  t.strictSame([refused.code, refused.stderr], [1, 'fixture: /keys: cannot be read.\n'])
  const bad = await start(t, { START: 'badly' }).ended
  t.equal(bad.code, 1)
  t.match(bad.stderr, /^fixture: TypeError: a fault of the program\n\s+at .+process-fixture/)
})

t.test('what nobody caught is logged, and ends it as a failure', async (t) => {
  const child = start(t)
  const address = await addressOf(child)
  await fetch(`${address}/crash`).catch(() => {})
  const { code, stdout } = await child.ended
  t.equal(code, 1)
  t.match(stdout, /"level":"fatal".*"message":"out of the blue".*"uncaught exception"/)
})

t.test('a log that cannot be written holds up neither answers nor the end', async (t) => {
  const port = await freePort()
  const command = 'exec "$0" "$1" >/dev/full'
  const child = spawn('sh', ['-c', command, process.execPath, fileURLToPath(FIXTURE)], {
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  while (!(await connects(`http://127.0.0.1:${port}`)));
  for (let i = 0; i < 3; i += 1) t.equal((await fetch(`http://127.0.0.1:${port}`)).status, 200)
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})
