import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type MailServer, startMailServer } from '@latchkey/testing/mail-server'
import { type RunningRedis, startRedis } from '@latchkey/testing/redis-server'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { freePort } from '../scripts/free-port.mjs'
import { type Service, startChat, startPair } from './pair.ts'
import { type RunningPrometheus, startPrometheus } from './prometheus.ts'

/** All that a Prometheus watches, and what it needs. */
export interface Watched {
  readonly auth: Service
  readonly resource: Service
  readonly chat: Service
  readonly mails: MailServer
  readonly redis: RunningRedis
  readonly prometheus: RunningPrometheus
  /** Their management ports, by their names in prometheus.yml. */
  readonly targets: Readonly<Record<'auth:9091' | 'resource:8081' | 'chat:8091', string>>
}

/** Starts the three services as in production, with Redis, a mail server and a Prometheus that looks at them each second. */
export async function startWatched(t: Test): Promise<Watched> {
  const [mails, redis] = [await startMailServer(t), await startRedis(t)]
  const ports = { auth: await freePort(), resource: await freePort(), chat: await freePort() }
  const { auth, resource } = await startPair(
    t,
    { REVOCATION_FEED: 'open' },
    {
      auth: {
        MANAGEMENT_PORT: String(ports.auth),
        REDIS_URL: redis.url,
        RATE_LIMIT_PER_MINUTE: '1000000',
        SMTP_URL: mails.url,
        MAIL_FROM: 'no-reply@example.com'
      },
      resource: { MANAGEMENT_PORT: String(ports.resource) }
    }
  )
  const chat = await startChat(t, auth, { MANAGEMENT_PORT: String(ports.chat), REDIS_URL: redis.url })
  const targets = {
    'auth:9091': `127.0.0.1:${ports.auth}`,
    'resource:8081': `127.0.0.1:${ports.resource}`,
    'chat:8091': `127.0.0.1:${ports.chat}`
  }
  return { auth, resource, chat, mails, redis, targets, prometheus: await startPrometheus(t, targets) }
}

interface Request {
  readonly token?: string
  readonly body?: object
}

/** Sends a line such as `POST /login`, and returns the answer with its JSON; one of another media type has an empty body. */
export async function send({ url }: Service, line: string, { token = '', body }: Request = {}) {
  const [method = '', path = ''] = line.split(' ')
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' })
  }
  const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  const isJson = /\bjson\b/.test(answer.headers.get('content-type') ?? '')
  return { status: answer.status, body: isJson ? JSON.parse(text) : {} }
}

const PASSWORD = 'a quiet harbour at dawn'

/** What one user does in a short life: gets in, is wrong, refreshes, greets, talks, changes the password, and logs out. */
export async function live({ auth, resource, chat }: Watched): Promise<void> {
  const email = `${randomUUID()}@example.com`
  const right = { email, password: PASSWORD }
  await send(auth, 'POST /signup', { body: { ...right, username: 'Ada' } })
  await send(auth, 'POST /signup', { body: { ...right, username: 'Ada' } })
  await send(auth, 'POST /login', { body: { ...right, password: 'a wrong one' } })
  await send(auth, 'POST /forgot-password', { body: { email } })
  await send(auth, 'POST /reset-password', { body: { email, code: 'AAAA-AAAA', new_password: PASSWORD } })
  const { access_token: token, refresh_token: refresh } = (await send(auth, 'POST /login', { body: right })).body
  const renewed = (await send(auth, 'GET /refresh-token', { token: refresh })).body
  await send(resource, 'GET /greet', { token: renewed.access_token })
  await send(resource, 'GET /greet', { token: refresh })
  await send(resource, 'GET /nowhere')
  await talk(chat, token)
  const passwords = { current_password: PASSWORD, new_password: `${PASSWORD}, later` }
  const changed = (await send(auth, 'POST /change-password', { token: renewed.access_token, body: passwords })).body
  await send(auth, 'POST /logout', { token: changed.refresh_token })
}

/** Makes a room, listens to it by socket, says something there, hears it, and leaves. */
async function talk(chat: Service, token: string): Promise<void> {
  const room = (await send(chat, 'POST /rooms', { token, body: { name: 'Tea', visibility: 'public' } })).body.id
  const socket = new WebSocket(`${chat.url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${token}` }
  })
  await once(socket, 'message')
  socket.send(JSON.stringify({ id: 1, type: 'subscribe', room, after: 0 }))
  await once(socket, 'message')
  const body = { client_id: randomUUID(), text: 'Hello' }
  const heard = new Promise<void>((resolve) => {
    socket.on('message', (text) => String(text).includes(body.client_id) && resolve())
  })
  await send(chat, `POST /rooms/${room}/messages`, { token, body })
  await heard
  socket.close(1000)
  await once(socket, 'close')
}
