// What breaks RFC 6455, byte by byte, at /ws.
import { once } from 'node:events'
import { openRaw } from '@latchkey/testing/raw-http'
import t, { type Test } from 'tap'
import { startChat } from './app.ts'
import { portOf } from './socket.ts'

const chat = await startChat(t, { DRAIN_TIME: '0s' })
const url = `http://127.0.0.1:${await portOf(chat)}`
const TEXT = 0x1
const FIN = 0x80
const MASKED = 0x80

/** A frame of a client: first byte, payload, and what is wrong with it. */
function frame(first: number, payload: string | Buffer = '', { isMasked = true, length = 0 } = {}): Buffer {
  const bytes = Buffer.from(payload as string)
  const mask = Buffer.from([1, 2, 3, 4])
  const size = length || bytes.length
  const flag = isMasked ? MASKED : 0
  const head = size < 126 ? Buffer.from([first, flag | size]) : Buffer.from([first, flag | 126, size >> 8, size & 0xff])
  if (!isMasked) return Buffer.concat([head, bytes])
  return Buffer.concat([head, mask, bytes.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

/** Opens a socket by hand, and returns what comes after its hello. */
async function open(t: Test) {
  const token = chat.user('Ada').token
  const head = [
    'GET /ws HTTP/1.1',
    'Host: test.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    `Authorization: Bearer ${token}`
  ]
  const socket = await openRaw(url, [...head, '', ''].join('\r\n'))
  t.teardown(() => socket.destroy())
  let got = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    got = Buffer.concat([got, chunk])
  })
  while (!got.includes('"hello"')) await once(socket, 'data')
  const from = got.length
  return { socket, read: () => got.subarray(from) }
}

function codeIn(bytes: Buffer): number | string {
  for (let at = 0; at < bytes.length; ) {
    const [first = 0, size = 0] = bytes.subarray(at)
    if (first === (FIN | 0x8)) return size < 2 ? 'no code' : bytes.readUInt16BE(at + 2)
    at += size === 126 ? 4 + bytes.readUInt16BE(at + 2) : 2 + size
  }
  return 'no close frame'
}

const PING = '{"id":1,"type":"ping"}'
const half = PING.length >> 1
const closing = (code: number, reason = '') =>
  Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)])

const TABLE: Readonly<Record<string, [bytes: Buffer[], code: number]>> = {
  'a frame without a mask': [[frame(FIN | TEXT, PING, { isMasked: false })], 1002],
  'RSV1 without an extension': [[frame(FIN | 0x40 | TEXT, PING)], 1002],
  RSV2: [[frame(FIN | 0x20 | TEXT, PING)], 1002],
  RSV3: [[frame(FIN | 0x10 | TEXT, PING)], 1002],
  'an unknown opcode': [[frame(FIN | 0x3, PING)], 1002],
  'an unknown control opcode': [[frame(FIN | 0xb)], 1002],
  'a continuation of nothing': [[frame(FIN, PING)], 1002],
  'a new message inside another': [[frame(TEXT, PING.slice(0, half)), frame(FIN | TEXT, PING)], 1002],
  'a ping in pieces': [[frame(0x9, 'x')], 1002],
  'a ping of 126 bytes': [[frame(FIN | 0x9, 'x'.repeat(126))], 1002],
  'a close frame of one byte': [[frame(FIN | 0x8, 'x')], 1002],
  'the close code 999': [[frame(FIN | 0x8, closing(999))], 1002],
  'the close code 1005': [[frame(FIN | 0x8, closing(1005))], 1002],
  'the close code 1006': [[frame(FIN | 0x8, closing(1006))], 1002],
  'a reason that is no UTF-8': [[frame(FIN | 0x8, Buffer.from([3, 232, 0xff]))], 1007],
  'text that is no UTF-8': [[frame(FIN | TEXT, Buffer.from([0x22, 0xc3, 0x28, 0x22]))], 1007],
  'a surrogate in UTF-8': [[frame(FIN | TEXT, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))], 1007],
  'bad UTF-8 across two frames': [[frame(TEXT, Buffer.from([0x22, 0xc3])), frame(FIN, Buffer.from([0x28]))], 1007],
  'a binary frame': [[frame(FIN | 0x2, PING)], 1003],
  'a frame that says it is too large': [
    [Buffer.from([FIN | TEXT, MASKED | 127, 0, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4])],
    1009
  ],
  'pieces that are too large together': [[frame(TEXT, ' '.repeat(40_000)), frame(FIN, ' '.repeat(40_000))], 1009],
  'a close frame': [[frame(FIN | 0x8, closing(1000, 'bye'))], 1000],
  'a close frame with a code of its own': [[frame(FIN | 0x8, closing(3999))], 3999]
}

for (const [about, [bytes, code]] of Object.entries(TABLE)) {
  t.test(`closed with ${code}: ${about}`, async (t) => {
    const { socket, read } = await open(t)
    socket.write(Buffer.concat(bytes))
    await Promise.race([once(socket, 'end'), once(socket, 'close')])
    t.equal(codeIn(read()), code)
  })
}

t.test('pieces of a message, with a ping between, are one request', async (t) => {
  const pieces = [frame(TEXT, PING.slice(0, half)), frame(FIN | 0x9, 'x'), frame(0, ''), frame(FIN, PING.slice(half))]
  const { socket, read } = await open(t)
  socket.write(Buffer.concat(pieces))
  while (!read().includes('"ok"')) await once(socket, 'data')
  t.same(read().subarray(0, 3), Buffer.from([FIN | 0xa, 1, 'x'.charCodeAt(0)]), 'the ping is answered first')
  t.match(read().toString(), /"type":"ok","id":1/)
})
