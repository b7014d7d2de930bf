// What a client may send, and what it gets for anything else.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { readRequest } from '../src/sockets/frames.ts'
import { type Chat, makeRoom, startChat } from './app.ts'
import { type Client, connect, type Received } from './socket.ts'

const chat = await startChat(t, { DRAIN_TIME: '0s', MESSAGES_PER_MINUTE: '300' })

/** Sends a text as it stands, and returns what comes next. */
async function say(client: Client, text: string): Promise<Received> {
  const count = client.messages.length
  client.socket.send(text)
  return client.until((message) => client.messages.indexOf(message) >= count)
}

const NO_REQUEST: Readonly<Record<string, [text: string, field: string]>> = {
  nothing: ['', 'frame'],
  'no JSON': ['hello', 'frame'],
  'half of JSON': ['{"id":1,', 'frame'],
  'a list': ['[1]', 'frame'],
  null: ['null', 'frame'],
  'a text': ['"x"', 'frame'],
  'two values': ['{"id":1,"type":"ping"}{}', 'frame'],
  'a byte order mark': ['\ufeff{"id":1,"type":"ping"}', 'frame'],
  'a member twice': ['{"id":1,"type":"ping","type":"ping"}', 'frame'],
  'the id twice, escaped': ['{"id":1,"\\u0069d":2,"type":"ping"}', 'frame'],
  'a member inside twice': ['{"id":1,"type":"send","x":{"a":1,"a":2}}', 'frame'],
  'nested too deep': [`{"id":1,"x":${'['.repeat(40)}${']'.repeat(40)}}`, 'frame'],
  'no id': ['{"type":"ping"}', 'id'],
  'id null': ['{"id":null,"type":"ping"}', 'id'],
  'a negative id': ['{"id":-1,"type":"ping"}', 'id'],
  'half an id': ['{"id":0.5,"type":"ping"}', 'id'],
  'an id over 2^53-1': ['{"id":9007199254740992,"type":"ping"}', 'id'],
  'an infinite id': ['{"id":1e999,"type":"ping"}', 'id'],
  'an empty id': ['{"id":"","type":"ping"}', 'id'],
  'an id of 65 characters': [`{"id":"${'x'.repeat(65)}","type":"ping"}`, 'id'],
  'an id that is not ASCII': ['{"id":"é","type":"ping"}', 'id'],
  'an id with a line feed': ['{"id":"a\\nb","type":"ping"}', 'id'],
  'an object as id': ['{"id":{},"type":"ping"}', 'id']
}

t.test('a frame that is no request is refused without an id', async (t) => {
  for (const [about, [text, field]] of Object.entries(NO_REQUEST)) {
    t.throws(() => readRequest(text), { code: 'invalid_input', options: { errors: [{ field }] } }, about)
  }
  const client = await connect(t, chat, chat.user('Ada'))
  for (const text of ['hello', '{"type":"ping"}']) {
    t.match(await say(client, text), { type: 'error', id: null, code: 'invalid_input', detail: /./, errors: [{}] })
  }
})

t.test('an id comes back as it was sent', async (t) => {
  const client = await connect(t, chat, chat.user('Ada'))
  for (const id of [0, 9_007_199_254_740_991, ' ', '~'.repeat(64), '__proto__', '0']) {
    t.match(await say(client, JSON.stringify({ id, type: 'ping' })), { type: 'ok', id })
  }
})

t.test('a request that is not as documented is refused under its id, and changes nothing', async (t) => {
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connect(t, chat, ada)
  const client_id = randomUUID()
  for (const [input, field] of [
    [{ type: 'nonsense' }, 'type'],
    [{ type: 'toString' }, 'type'],
    [{ type: 1 }, 'type'],
    [{}, 'type'],
    [{ type: 'ping', extra: 1 }, 'extra'],
    [{ type: 'ping', ['__proto__']: 1 }, '__proto__'],
    [{ type: 'send', room, client_id, text: 'x', from: 'admin' }, 'from'],
    [{ type: 'send', room, client_id, text: 'x', user_id: randomUUID() }, 'user_id'],
    [{ type: 'send', room, client_id }, 'text'],
    [{ type: 'subscribe', room, after: -1 }, 'after'],
    [{ type: 'subscribe', room, after: '1' }, 'after'],
    [{ type: 'subscribe', room, stream: 'x' }, 'stream'],
    [{ type: 'subscribe', room: 'x' }, 'room'],
    [{ type: 'reauth' }, 'token'],
    [{ type: 'reauth', token: 'x', ticket: 'y' }, 'token'],
    [{ type: 'reauth', token: 1 }, 'token']
  ] as const) {
    const text = JSON.stringify({ id: 'a', ...input })
    const answer = await say(client, text)
    t.match(answer, { type: 'error', id: 'a', code: 'invalid_input', errors: [{ field }] }, text)
    t.equal(answer['errors'].length, 1)
  }
  t.match(await client.ask('get_room', { room }), { head: 1 })
})

t.test('texts are kept as they were sent, or refused', async (t) => {
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connect(t, chat, ada)
  await client.ask('subscribe', { room })
  const good = ['x', ' a ', 'a\n\tb', '𝒳'.repeat(4000), '<script>', 'e\u0301', '\u202e', '👩‍👩‍👧', 'ÅÅ', '"\\u0000"']
  for (const text of good) {
    const { seq } = await client.ask('send', { room, client_id: randomUUID(), text })
    const frame = await client.until(({ type, events }) => type === 'events' && events.at(-1).seq >= seq)
    t.equal(frame['events'].find((event: { seq: number }) => event.seq === seq).text, text)
  }
  for (const text of [
    '',
    ' ',
    '\n',
    '\u00a0\u2003',
    'a\u0000',
    'a\u0007',
    'a\r\n',
    '\u0085',
    'x'.repeat(4001),
    '𝒳'.repeat(4001)
  ]) {
    t.match(
      await client.ask('send', { room, client_id: randomUUID(), text }),
      { code: 'invalid_input' },
      JSON.stringify(text).slice(0, 20)
    )
  }
  const lone = `{"id":"lone","type":"send","room":"${room}","client_id":"${randomUUID()}","text":"\\ud800"}`
  t.match(await say(client, lone), { id: 'lone', code: 'invalid_input', errors: [{ field: 'text' }] })
})

t.test('requests of a socket are answered one after another, in their order', async (t) => {
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connect(t, chat, ada)
  const count = 60
  for (let id = 1; id <= count; id += 1) {
    const [type, input] = id % 3 === 0 ? ['ping', {}] : ['send', { room, client_id: randomUUID(), text: String(id) }]
    client.socket.send(JSON.stringify({ id: `n${id}`, type, ...(input as object) }))
  }
  await client.until(({ id }) => id === `n${count}`)
  const answers = client.messages.filter(({ type }) => type === 'ok')
  t.same(
    answers.map(({ id }) => id),
    Array.from({ length: count }, (_, index) => `n${index + 1}`)
  )
  const seqs = answers.flatMap(({ seq }) => seq ?? [])
  t.same(
    seqs,
    [...seqs].sort((one, other) => one - other)
  )
})

async function closes(t: Test, of: Chat, act: (client: Client) => unknown): Promise<{ code: number; reason: string }> {
  const client = await connect(t, of, of.user('Ada'))
  await act(client)
  return client.closed
}

t.test('what ends a socket', async (t) => {
  t.same(await closes(t, chat, ({ socket }) => socket.send(Buffer.from('{}'))), { code: 1003, reason: '' }, 'binary')
  t.same(
    await closes(t, chat, ({ socket }) => socket.send(' '.repeat(65_537))),
    { code: 1009, reason: '' },
    'too large'
  )
  t.same(await closes(t, chat, ({ socket }) => socket.close(1000)), { code: 1000, reason: '' }, 'the client')
  const bad = await connect(t, chat, chat.user('Ada'))
  for (let i = 0; i < 9; i += 1) await say(bad, 'x')
  await bad.ask('ping')
  for (let i = 0; i < 9; i += 1) await say(bad, 'x')
  bad.socket.send('x')
  t.same(await bad.closed, { code: 1008, reason: 'bad_messages' }, 'ten in a row')
  t.equal(bad.messages.filter(({ type }) => type === 'error').length, 19)
})

t.test('the largest frame is taken', async (t) => {
  const client = await connect(t, chat, chat.user('Ada'))
  const text = '{"id":1,"type":"ping"}'
  t.match(await say(client, text + ' '.repeat(65_536 - text.length)), { type: 'ok', id: 1 })
})

t.test('a flood of frames ends a socket, control frames too', async (t) => {
  t.same(
    await closes(t, chat, ({ socket }) => {
      for (let i = 0; i < 300; i += 1) socket.send('{"id":1,"type":"ping"}')
    }),
    { code: 1008, reason: 'flood' }
  )
  t.same(
    await closes(t, chat, ({ socket }) => {
      for (let i = 0; i < 300; i += 1) socket.ping()
    }),
    { code: 1008, reason: 'flood' }
  )
})

t.test('too many messages are refused, and who goes on is sent away', async (t) => {
  const own = await startChat(t, { DRAIN_TIME: '0s', MESSAGES_PER_MINUTE: '6' })
  const ada = own.user('Ada')
  const room = await makeRoom(own, ada)
  const client = await connect(t, own, ada)
  const codes = []
  for (let i = 0; i < 8; i += 1) {
    const { type, code, retry_after } = await client.ask('send', { room, client_id: randomUUID(), text: 'x' })
    codes.push(code ?? type)
    if (code) t.ok(retry_after >= 1 && retry_after <= 10)
  }
  t.same(codes, ['ok', 'ok', ...Array(6).fill('too_many_requests')])
  t.same(await client.closed, { code: 1008, reason: 'flood' })
})
