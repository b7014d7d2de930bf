import { runAsOwner } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { sweepTickets, takeTicket } from '../src/tickets/tickets.ts'
import { type Chat, startChat, type User } from './app.ts'

/** Asks for a ticket as a page does. */
async function askByCookie(chat: Chat, user: User, headers: Record<string, string>) {
  const answer = await chat.app.inject({
    method: 'POST',
    url: '/tickets',
    headers: { host: 'chat.example.com', cookie: `__Host-token=${user.token}`, ...headers }
  })
  return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body: answer.json() }
}

t.test('a ticket keeps the claims and the key of its token, and is taken once', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada', { roles: ['user', 'admin'] })
  const { status, body } = await chat.send(ada, 'POST /tickets')
  t.match([status, body.expires_in], [201, 30])
  t.match(body.ticket, /^[A-Za-z0-9_-]{43}$/)
  const kept = await chat.database.query("SELECT encode(hash, 'hex') AS hash FROM tickets")
  t.notMatch(JSON.stringify(kept), body.ticket)
  const all = await Promise.all(Array.from({ length: 10 }, () => takeTicket(chat.database, body.ticket)))
  const taken = all.filter((one) => one !== undefined)
  t.equal(taken.length, 1, 'of ten at once, one')
  t.match(taken[0], { kid: chat.key.kid, claims: { sub: ada.id, preferred_username: 'Ada', roles: ['user', 'admin'] } })
})

t.test('a ticket that is over its time, or has another form, is none', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const { body } = await chat.send(ada, 'POST /tickets')
  for (const text of ['', 'x', body.ticket.slice(1), `${body.ticket}=`, `${body.ticket} `]) {
    t.equal(await takeTicket(chat.database, text), undefined)
  }
  await chat.send(ada, 'POST /tickets')
  await runAsOwner(chat.url, "UPDATE tickets SET expires_at = now() - interval '1 second'")
  t.equal(await takeTicket(chat.database, body.ticket), undefined)
  t.equal(await sweepTickets(chat.database), 2)
})

t.test('a page asks by cookie, of its own site alone', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const own = await askByCookie(chat, ada, { origin: 'https://chat.example.com', 'sec-fetch-site': 'same-origin' })
  t.equal(own.status, 201)
  const strange = await askByCookie(chat, ada, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })
  isProblem(t, strange, 'cross_site')
})

t.test('without a good token there is no ticket, and nobody gets them in a loop', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  isProblem(t, await chat.send(undefined, 'POST /tickets'), 'missing_token')
  isProblem(t, await chat.send({ ...ada, token: `${ada.token}x` }, 'POST /tickets'), 'invalid_token')
  const statuses = new Set<number>()
  // The slower the machine, the more there are meanwhile.
  for (let n = 0; n < 600 && !statuses.has(429); n += 1) statuses.add((await chat.send(ada, 'POST /tickets')).status)
  t.strictSame([...statuses], [201, 429])
})
