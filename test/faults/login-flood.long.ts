import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { between } from '@latchkey/testing/between'
import t, { type Test } from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import type { Shot } from './flood.mjs'

const FLOOD = fileURLToPath(new URL('flood.mjs', import.meta.url))
const PASSWORD = 'a quiet harbour at dawn'
const LOGINS = 55

await buildFirst()
const { auth } = await startPair(t, { TRUST_PROXY: '127.0.0.1', RATE_LIMIT_PER_MINUTE: '0' })

async function send(line: string, from: string, body: object): Promise<{ status: number; token: string }> {
  const [method = '', path] = line.split(' ')
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': from }
  const answer = await fetch(auth.url + path, { method, headers, body: JSON.stringify(body) })
  const said = (await answer.json()) as Record<string, string>
  return { status: answer.status, token: said['access_token'] ?? '' }
}

async function person(email: string): Promise<string> {
  const { status } = await send('POST /signup', '192.0.2.1', { email, username: 'Person', password: PASSWORD })
  if (status !== 201) throw new Error(`${email}: ${status}`)
  return email
}

const login = (email: string, from: string) => send('POST /login', from, { email, password: PASSWORD })
const ada = await person('ada@example.com')

/** Logins of another address, one after another, while so many requests are in flight. */
async function passBeside(t: Test, shots: Shot[]): Promise<void> {
  const flood = fork(FLOOD, { execArgv: [] })
  t.teardown(() => flood.kill())
  flood.send({ url: auth.url, shots, inFlight: 70 })
  await once(flood, 'message')
  let through = 0
  for (let i = 0; i < LOGINS; i += 1) if ((await login(ada, '203.0.113.5')).status === 200) through += 1
  flood.send('stop')
  const [statuses] = await once(flood, 'message')
  t.comment(`the flood was answered ${JSON.stringify(statuses)}`)
  between(t, through, { least: LOGINS * 0.8 }, `of ${LOGINS} logins of another address came through`)
}

t.test('a signed-up person with ten sessions ends no logins of others', async (t) => {
  const eve = await person('eve@example.com')
  const shots: Shot[] = []
  for (let i = 0; i < 10; i += 1) {
    const { token } = await login(eve, '192.0.2.9')
    shots.push({ line: 'DELETE /me', from: '198.51.100.1', body: { current_password: 'wrong' }, token })
  }
  await passBeside(t, shots)
})

t.test('a stranger who tries thousands of addresses from one address ends none either', async (t) => {
  const shots = Array.from({ length: 5000 }, (_, i) => ({
    line: 'POST /login',
    from: '198.51.100.1',
    body: { email: `nobody${i}@example.com`, password: 'wrong' }
  }))
  await passBeside(t, shots)
})
