import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { Pulse } from '../src/sockets/pulse.ts'

const HEARTBEAT = 25_000
const LONGEST_STANDSTILL = 30_000
const OPEN = 1

/** A pulse on a clock of the test, of a socket that is as the test says. */
function madeUp() {
  const state = { now: 1000, pings: 0, waiting: 0 }
  const connection = { bytesWritten: 0, writableLength: 0, _handle: { writeQueueSize: 0 } }
  const socket = {
    OPEN,
    readyState: OPEN,
    get bufferedAmount() {
      return state.waiting
    },
    ping: () => {
      state.pings += 1
    }
  } as const
  const pulse = new Pulse(socket, connection, HEARTBEAT, () => state.now)
  return { state, connection, pulse }
}

t.test('a client that takes nothing of what waits for it is given up after 30 s, to the millisecond', async (t) => {
  const { state, connection, pulse } = madeUp()
  state.waiting = 5000
  connection.bytesWritten = 5000
  connection.writableLength = 5000
  t.ok(pulse.beats(false))
  for (let more = 0; more < 3; more += 1) {
    state.now += LONGEST_STANDSTILL - 1
    pulse.heard()
    t.ok(pulse.beats(false), 'not before')
    connection.writableLength -= 1
    t.ok(pulse.beats(false), 'and whoever takes one byte has all of the time again')
  }
  state.now += LONGEST_STANDSTILL
  pulse.heard()
  t.notOk(pulse.beats(false), 'also if it speaks')
})

t.test('what the system holds counts as waiting, so that a large page is no standstill', async (t) => {
  const { state, connection, pulse } = madeUp()
  state.waiting = 1
  connection.bytesWritten = 256_000
  connection._handle.writeQueueSize = 256_000
  t.ok(pulse.beats(false))
  state.now += LONGEST_STANDSTILL
  connection._handle.writeQueueSize -= 1
  pulse.heard()
  t.ok(pulse.beats(false))
})

t.test('a client for which nothing waits stands still as long as it likes', async (t) => {
  const { state, pulse } = madeUp()
  for (let n = 0; n < 5; n += 1) {
    state.now += LONGEST_STANDSTILL
    pulse.heard()
    t.ok(pulse.beats(false))
  }
})

t.test('who is silent is asked once after a heartbeat, and given up after two', async (t) => {
  const { state, pulse } = madeUp()
  state.now += HEARTBEAT - 1
  t.ok(pulse.beats(false))
  t.equal(state.pings, 0)
  for (let n = 0; n < 3; n += 1) {
    state.now += 1
    t.ok(pulse.beats(false))
  }
  t.equal(state.pings, 1)
  pulse.heard()
  state.now += HEARTBEAT
  t.ok(pulse.beats(false))
  t.equal(state.pings, 2, 'an answer begins it anew')
  state.now += HEARTBEAT
  t.notOk(pulse.beats(false))
})

t.test('while the service itself does not read, silence means nothing', async (t) => {
  const { state, pulse } = madeUp()
  state.now += 10 * HEARTBEAT
  t.ok(pulse.beats(true))
  t.equal(state.pings, 0)
})

t.test('of a real connection it is seen that a reader stands still, and that it reads again', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => reader.destroy())
  const [connection] = (await accepted) as [Socket & { _handle: { writeQueueSize: number } }]
  t.teardown(() => connection.destroy())
  reader.pause()
  let now = 0
  const socket = { OPEN, readyState: OPEN, bufferedAmount: 1, ping: () => {} } as const
  const pulse = new Pulse(socket, connection, 10 * LONGEST_STANDSTILL, () => now)
  connection.write(Buffer.alloc(30_000_000))
  /** Looks again and again, the clock standing still, until the system takes nothing more for a while. */
  async function settled(): Promise<void> {
    let before = -1
    while (before !== connection._handle.writeQueueSize) {
      before = connection._handle.writeQueueSize
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    t.ok(pulse.beats(false))
  }
  await settled()
  now += LONGEST_STANDSTILL - 1
  t.ok(pulse.beats(false))
  const held = connection._handle.writeQueueSize
  reader.on('data', () => connection._handle.writeQueueSize < held && reader.pause()).resume()
  while (connection._handle.writeQueueSize === held) await once(reader, 'data')
  await settled()
  now += 1
  t.ok(pulse.beats(false), 'it has read')
  now += LONGEST_STANDSTILL
  t.notOk(pulse.beats(false))
})
