// Where a service listens, as a process, and what it says of a HOST that it cannot listen on.
import net from 'node:net'
import { addressOf, type Child, startChild } from '@latchkey/testing/child'
import t, { type Test } from 'tap'
import { MOST_OPEN } from '../src/connections/pipelining.ts'

const FIXTURE = new URL('./process-fixture.mjs', import.meta.url)
const TWO_LOOPBACKS = new URL('./two-loopbacks-fixture.mjs', import.meta.url)

/** What becomes of a connection to this address that brings one more request at once than it may. */
function flood(child: Child, port: number, address: string): Promise<'nobody listens' | 'cut' | 'answered'> {
  return new Promise((resolve) => {
    let connected = false
    const socket = net.connect(port, address, () => {
      connected = true
      socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(MOST_OPEN + 1))
    })
    // Those that were let in end when they are told to.
    child.process.on('message', () => child.process.send('go on'))
    socket.on('error', () => {})
    socket.on('data', () => {
      resolve('answered')
      socket.destroy()
    })
    socket.on('close', () => resolve(connected ? 'cut' : 'nobody listens'))
  })
}

t.test(
  'where localhost is two addresses, one of them has the service, with every rule of its connections',
  async (t) => {
    const child = startChild(t, TWO_LOOPBACKS, { HOST: 'localhost', PORT: '0' })
    const address = new URL(await addressOf(child))
    t.equal(address.hostname, '127.0.0.1')
    t.equal(await flood(child, Number(address.port), '127.0.0.1'), 'cut')
    t.equal(await flood(child, Number(address.port), '::1'), 'nobody listens')
  }
)

async function said(t: Test, env: Record<string, string>): Promise<string> {
  const { code, stderr } = await startChild(t, FIXTURE, { PORT: '0', ...env }).ended
  t.equal(code, 1)
  return stderr
}

t.test('a HOST that is no address of this machine is named, with what to do', async (t) => {
  const hosts = {
    'x86_64-conda-linux-gnu': 'getaddrinfo \\w+ x86_64-conda-linux-gnu',
    '[::1]': 'getaddrinfo \\w+ \\[::1\\]',
    '127.0.0.1:80': 'getaddrinfo \\w+ 127\\.0\\.0\\.1:80',
    '192.0.2.1': 'listen EADDRNOTAVAIL: .+ 192\\.0\\.2\\.1'
  }
  for (const [HOST, why] of Object.entries(hosts)) {
    const wanted = `^fixture: HOST is no address of this machine \\(${why}\\)\\. Set it to one, such as 127\\.0\\.0\\.1, or unset it; shells of conda set it to something else\\.\\n$`
    t.match(await said(t, { HOST }), new RegExp(wanted), HOST)
  }
})
