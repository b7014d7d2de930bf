// How a socket is opened: by which credential, and while there is a place for it.
import { isProblem } from '@latchkey/testing/problem'
import { sendRaw } from '@latchkey/testing/raw-http'
import t from 'tap'
import { startChat } from './app.ts'
import { answerOf, bearer, linesOf } from './raw-handshake.ts'
import { connect, dial, portOf } from './socket.ts'

const PAGE = 'https://page.example'

t.test('by header, subprotocol and ticket, from no page, an allowed one, and one of the same host', async (t) => {
  const chat = await startChat(t, { DRAIN_TIME: '0s', CORS_ORIGINS: PAGE })
  const ada = chat.user('Ada')
  const authorization = { authorization: `Bearer ${ada.token}` }
  const byHeader = await connect(t, chat, ada)
  t.equal(byHeader.socket.protocol, '')
  const named = await connect(t, chat, ada, { protocols: ['latchkey.chat.v1'], headers: authorization })
  t.equal(named.socket.protocol, 'latchkey.chat.v1')
  const byProtocol = await connect(t, chat, ada, { protocols: ['latchkey.chat.v1', `bearer.${ada.token}`] })
  t.equal(byProtocol.socket.protocol, 'latchkey.chat.v1', 'and never the token')
  const { ticket } = (await chat.send(ada, 'POST /tickets')).body
  await connect(t, chat, ada, { query: `?ticket=${ticket}` })
  const origins = [PAGE, `http://127.0.0.1:${await portOf(chat)}`]
  for (const origin of origins) await connect(t, chat, ada, { headers: { origin } })
  t.match(
    chat.lines.findLast(({ msg }) => msg === 'answered'),
    { req: { path: '/ws' }, res: { status: 101 } }
  )
})

t.test('as many sockets as SOCKETS_MAX, and as SOCKETS_PER_USER', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s', SOCKETS_MAX: '3', SOCKETS_PER_USER: '2' })
  const [bob, cyd] = [own.user('Bob'), own.user('Cyd')]
  const first = await connect(t, own, bob)
  await connect(t, own, bob)
  const third = await dial(t, own, bob)
  t.same(await third.closed, { code: 1008, reason: 'too_many_sockets' })
  t.same(third.messages, [])
  await connect(t, own, cyd)
  const full = await sendRaw(await portOf(own), 'GET /ws', linesOf(bearer(own.user('Dan').token)))
  isProblem(t, answerOf(full), 'unavailable')
  first.socket.close()
  await first.closed
  await connect(t, own, own.user('Dan'))
})

t.test('a service that stops opens no more', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s' })
  const [bob, at] = [own.user('Bob'), await portOf(own)]
  const stopping = own.app.close()
  isProblem(t, answerOf(await sendRaw(at, 'GET /ws', linesOf(bearer(bob.token)))), 'unavailable')
  await stopping
})
