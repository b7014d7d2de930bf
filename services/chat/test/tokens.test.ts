// Sockets live as long as their token, or the next one.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { accessToken, type Members, makeKey } from '@latchkey/testing/tokens'
import t from 'tap'
import { type Chat, makeRoom, startChat, type User } from './app.ts'
import { connect } from './socket.ts'

const NOW = { DRAIN_TIME: '0s' }
const seconds = () => Math.floor(Date.now() / 1000)

async function ticket(chat: Chat, user: User, token: string): Promise<string> {
  return (await chat.send({ ...user, token }, 'POST /tickets')).body.ticket
}

t.test('a socket is told before its token expires, and closed when it does', async (t) => {
  const chat = await startChat(t, { ...NOW, EXPIRY_WARNING: '2s' })
  const ada = chat.user('Ada')
  const exp = seconds() + 4
  const client = await connect(t, chat, ada, { token: ada.tokenWith({ exp }) })
  t.equal(client.messages.length, 1, 'not yet')
  const told = await client.next('expiring')
  t.equal(told['expires_at'], new Date(exp * 1000).toISOString())
  t.ok(told['in_ms'] > 1000 && told['in_ms'] <= 2000, String(told['in_ms']))
  t.same(await client.closed, { code: 4401, reason: '' })
  const late = Date.now() - exp * 1000
  t.ok(late >= 0 && late < 1000, `${late} ms after its end, without leeway`)
  t.equal(client.messages.filter(({ type }) => type === 'expiring').length, 1)
})

t.test('who has less left than the warning is told at once', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const client = await connect(t, chat, ada, { token: ada.tokenWith({ exp: seconds() + 30 }) })
  t.ok((await client.next('expiring'))['in_ms'] <= 30_000)
})

t.test('nothing is delivered and nothing done after the end of a token, also between two looks', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = await makeRoom(chat, bob)
  await chat.send(ada, `POST /rooms/${room}/join`)
  const exp = seconds() + 2
  const client = await connect(t, chat, ada, { token: ada.tokenWith({ exp }) })
  await client.ask('subscribe', { room })
  const bobs = await connect(t, chat, bob)
  while (Date.now() < exp * 1000 + 300) {
    await bobs.ask('send', { room, client_id: randomUUID(), text: String(Date.now()) })
    const hers = { id: 'hers', type: 'send', room, client_id: randomUUID(), text: 'hers' }
    if (client.socket.readyState === client.socket.OPEN) client.socket.send(JSON.stringify(hers))
    await sleep(100)
  }
  t.same(await client.closed, { code: 4401, reason: '' })
  const { body } = await chat.send(bob, `GET /rooms/${room}/messages?limit=100`)
  const late = body.messages.filter(
    ({ created_at, text }: { created_at: string; text: string }) =>
      text === 'hers' && Date.parse(created_at) > exp * 1000 + 100
  )
  t.same(late, [])
  const heard = client.messages.flatMap(({ events = [] }) => events).map(({ text }: { text: string }) => Number(text))
  t.ok(heard.filter(Number.isFinite).every((at) => at <= exp * 1000))
})

t.test('a later token of the same user prolongs a socket, and what it says holds from then on', async (t) => {
  const chat = await startChat(t, { ...NOW, EXPIRY_WARNING: '1s' })
  const ada = chat.user('Ada')
  const exp = seconds() + 2
  const client = await connect(t, chat, ada, { token: ada.tokenWith({ exp }) })
  t.match(await client.ask('create_room', { name: 'Mine', visibility: 'private' }), { type: 'ok' })
  const later = seconds() + 600
  const next = ada.tokenWith({ exp: later, roles: ['user', 'admin'], sid: randomUUID() })
  t.match(await client.ask('reauth', { token: next }), {
    type: 'ok',
    expires_at: new Date(later * 1000).toISOString(),
    roles: ['user', 'admin']
  })
  const hidden = await makeRoom(chat, chat.user('Bob'), 'private')
  t.match(await client.ask('get_room', { room: hidden }), { type: 'ok', room: hidden }, 'the roles are new')
  const third = await ticket(chat, ada, ada.tokenWith({ exp: later + 1 }))
  t.match(await client.ask('reauth', { ticket: third }), { type: 'ok', roles: ['user'] })
  t.match(await client.ask('get_room', { room: hidden }), { code: 'not_found' })
  while (Date.now() < exp * 1000 + 600) await sleep(50)
  t.match(await client.ask('ping'), { type: 'ok' })
  const sooner = seconds() + 2
  t.match(await client.ask('reauth', { token: ada.tokenWith({ exp: sooner }) }), { type: 'ok' })
  await client.until(({ type, expires_at }) => type === 'expiring' && Date.parse(expires_at) === sooner * 1000)
  t.same(await client.closed, { code: 4401, reason: '' }, 'also if it ends sooner')
})

t.test('who is an administrator no more hears no more of rooms that they are no member of', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada', { epoch: 1 }), chat.user('Bob')]
  const [hidden, open, own] = [
    await makeRoom(chat, bob, 'private'),
    await makeRoom(chat, bob),
    await makeRoom(chat, ada)
  ]
  const admin = (epoch: number) => ada.tokenWith({ epoch, roles: ['user', 'admin'] })
  const client = await connect(t, chat, ada, { token: admin(1) })
  for (const room of [hidden, open, own]) t.match(await client.ask('subscribe', { room, after: 0 }), { type: 'ok' })
  t.match(await client.ask('reauth', { token: admin(2) }), { type: 'ok' })
  await chat.send(bob, `PUT /rooms/${hidden}`, { name: 'Still heard' })
  await client.until(({ events }) => events?.at(-1).name === 'Still heard')
  t.match(await client.ask('reauth', { token: ada.tokenWith({ epoch: 3 }) }), { type: 'ok', roles: ['user'] })
  for (const room of [hidden, open]) t.match(await client.next('unsubscribed'), { room, reason: 'demoted' })
  for (const room of [hidden, open]) await chat.send(bob, `PUT /rooms/${room}`, { name: 'Secret' })
  t.match(await client.ask('subscribe', { room: hidden }), { code: 'not_found' })
  t.match(await client.ask('subscribe', { room: open }), { code: 'not_a_member' })
  await client.ask('rename_room', { room: own, name: 'Mine' })
  await client.until(({ events }) => events?.at(-1).name === 'Mine')
  t.same([client.seqs(hidden), client.seqs(open), client.seqs(own)], [[1, 2], [1], [1, 2]])
})

t.test('another token changes nothing, and the third ends the socket', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada', { epoch: 5 }), chat.user('Bob')]
  const stranger = await makeKey()
  const bad: [about: string, credential: Members, code: string][] = [
    ['of another user', { token: bob.token }, 'invalid_token'],
    ['of a lower epoch', { token: ada.tokenWith({ epoch: 4 }) }, 'invalid_token'],
    ['that has expired', { token: ada.tokenWith({ exp: seconds() - 1 }) }, 'token_expired'],
    ['of another issuer', { token: ada.tokenWith({ iss: 'https://other.example' }) }, 'invalid_token'],
    ['of a stranger', { token: accessToken(stranger, { sub: ada.id }) }, 'invalid_token'],
    ['that is none', { token: '' }, 'invalid_token'],
    ['a ticket of another user', { ticket: await ticket(chat, bob, bob.token) }, 'invalid_token'],
    ['a ticket that is none', { ticket: 'x' }, 'invalid_token']
  ]
  for (const [about, credential, code] of bad) {
    const client = await connect(t, chat, ada)
    for (let i = 0; i < 2; i += 1) t.match(await client.ask('reauth', credential), { type: 'error' }, about)
    t.match(await client.ask('reauth', { token: ada.tokenWith({}) }), { type: 'ok' }, 'a good one is taken')
    t.match(await client.ask('get_room', { room: randomUUID() }), { code: 'not_found' }, 'and the socket goes on')
    const codes = []
    for (let i = 0; i < 3; i += 1) codes.push((await client.ask('reauth', credential))['code'])
    t.same(codes, [code, code, code])
    t.same(await client.closed, { code: 1008, reason: 'bad_reauth' })
  }
})

t.test('a later epoch of the user ends the sockets of earlier ones', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada', { epoch: 1 }), chat.user('Bob')]
  const [old, other, his] = [await connect(t, chat, ada), await connect(t, chat, ada), await connect(t, chat, bob)]
  t.match(await other.ask('reauth', { token: ada.tokenWith({ epoch: 2 }) }), { type: 'ok' })
  const begun = Date.now()
  t.same(await old.closed, { code: 4403, reason: '' })
  t.ok(Date.now() - begun < 1000)
  t.match(await other.ask('ping'), { type: 'ok' })
  t.match(await his.ask('ping'), { type: 'ok' })
})
