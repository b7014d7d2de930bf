// A key that the auth service withdraws: the sockets whose tokens it signed end, and no others.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createChatDatabase } from '@latchkey/testing/database'
import { makeKey, type TestKey } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { startChat } from './app.ts'
import { connectGraphql } from './graphql-socket.ts'
import { connect } from './socket.ts'

/** An auth service that has only a key set; `published` can be changed. */
async function startKeySet(t: Test, keys: readonly TestKey[]) {
  const set = { published: keys, url: '' }
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: set.published.map(({ jwk }) => jwk) }))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  set.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  return set
}

t.test('sockets of either kind end with 4403 when the key of their token is withdrawn', async (t) => {
  const [old, next] = [await makeKey(), await makeKey()]
  const set = await startKeySet(t, [old, next])
  const chat = await startChat(
    t,
    { DRAIN_TIME: '0s', JWKS_URL: set.url, JWKS_MIN_AGE: '1s', JWKS_MAX_AGE: '1s', JWKS_COOLDOWN: '1ms' },
    { key: old, url: await createChatDatabase(t) }
  )
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob', {}, next)]
  const sockets = [await connect(t, chat, ada), await connectGraphql(t, chat, ada)]
  const [his, hisGraphql] = [await connect(t, chat, bob), await connectGraphql(t, chat, bob)]
  set.published = [next]
  for (const { closed } of sockets) t.same(await closed, { code: 4403, reason: '' })
  t.match(await his.ask('ping'), { type: 'ok' }, 'whoever has a token of the other key stays')
  t.match(await hisGraphql.ask('{ rooms { next } }'), { type: 'next', payload: { data: { rooms: { next: null } } } })
})
