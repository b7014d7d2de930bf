import { once } from 'node:events'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { WebSocket } from 'ws'
import { startChats } from './chats.ts'

// As it is built, the verifier brings a copy of the problems: what it throws has to be answered like our own.
t.test('what the verifier refuses is answered as such by the built service', async (t) => {
  const { chats, tokenOf } = await startChats(t, 1)
  const url = chats[0]?.url ?? ''
  const ask = async (line: string, token?: string) => {
    const [method = '', path = ''] = line.split(' ')
    const answer = await fetch(url + path, { method, headers: token ? { authorization: `Bearer ${token}` } : {} })
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() }
  }
  isProblem(t, await ask('POST /tickets'), 'missing_token')
  for (const line of ['POST /tickets', 'GET /rooms']) {
    isProblem(t, await ask(line, tokenOf({ aud: 'else' })), 'invalid_token', [], line)
    isProblem(t, await ask(line, tokenOf({ iat: 1, exp: 2 })), 'token_expired', [], line)
  }
  const knock = async (token: string) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${token}` } })
    const [, answer] = await once(
      socket.on('error', () => {}),
      'unexpected-response'
    )
    return answer.statusCode
  }
  t.equal(await knock(tokenOf({ aud: 'else' })), 401)
  t.equal(await knock(tokenOf({ iat: 1, exp: 2 })), 401)
  t.notMatch(chats[0]?.output(), '"level":"error"')
})
