// The least that a chat can do: ws alone, which sends each message to everybody. No tokens, no rooms, no database. It speaks as much
// of the chat's protocol as the same clients need.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const server = createServer()
const sockets = new WebSocketServer({ server, path: '/ws', perMessageDeflate: false })
let seq = 0
sockets.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { id, type, room, client_id, text } = JSON.parse(String(data))
    const answer = { type: 'ok', id }
    if (type === 'send') {
      seq += 1
      const created_at = new Date().toISOString()
      const actor = { user_id: '00000000-0000-4000-8000-000000000000', username: 'Ada' }
      const event = { seq, kind: 'message', created_at, actor, client_id, text }
      const frame = Buffer.from(JSON.stringify({ type: 'events', room, events: [event] }))
      for (const client of sockets.clients) client.send(frame, { binary: false })
      socket.send(JSON.stringify({ ...answer, room, seq, created_at, repeated: false }))
    } else {
      socket.send(JSON.stringify(answer))
    }
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  process.send?.(`http://127.0.0.1:${address.port}`)
})
process.on('SIGTERM', () => process.exit())
