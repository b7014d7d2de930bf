// A ticket in place of a token: it opens one socket, and no more than its token would now.
import { runAsOwner } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import { sendRaw } from '@latchkey/testing/raw-http'
import t from 'tap'
import { type Chat, startChat, type User } from './app.ts'
import { answerOf, linesOf } from './raw-handshake.ts'
import { connect, portOf } from './socket.ts'

async function ticket(of: Chat, user: User): Promise<string> {
  return (await of.send(user, 'POST /tickets')).body.ticket
}

t.test('a ticket opens one socket, and a foreign page does not burn it', async (t) => {
  const chat = await startChat(t, { DRAIN_TIME: '0s' })
  const [ada, port] = [chat.user('Ada'), await portOf(chat)]
  const one = await ticket(chat, ada)
  const line = `GET /ws?ticket=${one}`
  t.equal((await sendRaw(port, line, linesOf({ origin: 'Origin: https://evil.example' }))).status, 403)
  await connect(t, chat, ada, { query: `?ticket=${one}` })
  isProblem(t, answerOf(await sendRaw(port, line, linesOf({}))), 'invalid_token')
})

t.test('a ticket is no better than its token', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s' })
  const bob = own.user('Bob', { epoch: 1 })
  const old = await ticket(own, bob)
  const end = Math.floor(Date.now() / 1000) + 3
  const soon = { ...bob, token: bob.tokenWith({ exp: end }) }
  const late = await ticket(own, soon)
  const over = await ticket(own, bob)
  await runAsOwner(
    own.url,
    `UPDATE tickets SET expires_at = now() - interval '1 second' WHERE hash = sha256('${over}')`
  )
  await connect(t, own, bob, { token: bob.tokenWith({ epoch: 2 }) })
  while (Date.now() / 1000 < end) await new Promise((resolve) => setTimeout(resolve, 50))
  for (const one of [old, late, over]) {
    const answer = await sendRaw(await portOf(own), `GET /ws?ticket=${one}`, linesOf({}))
    isProblem(t, answerOf(answer), 'invalid_token')
  }
})

t.test('while the database is away, a token opens no less than before, and a ticket waits', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s', ANSWER_TIMEOUT: '500ms' })
  const bob = own.user('Bob')
  await connect(t, own, bob)
  const one = await ticket(own, bob)
  await runAsOwner(own.url, 'ALTER TABLE tickets RENAME TO gone')
  isProblem(t, answerOf(await sendRaw(await portOf(own), `GET /ws?ticket=${one}`, linesOf({}))), 'unavailable')
  await connect(t, own, bob)
})
