import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createRefusals } from '@latchkey/audit/refusals'
import { type Database, openDatabase } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import { keySetPlace } from '@latchkey/frame/issuer-settings'
import { createLogger } from '@latchkey/frame/logger'
import { createChatDatabase, serviceUrl } from '@latchkey/testing/database'
import type { Answer } from '@latchkey/testing/problem'
import { accessClaims, accessToken, type Members, makeKey, type TestKey } from '@latchkey/testing/tokens'
import { openKeySet } from '@latchkey/verifier'
import type { Test } from 'tap'
import { buildApp } from '../src/app.ts'
import { chatConfig } from '../src/config.ts'
import { SOCKET_BOUNDS } from '../src/sockets/visits.ts'

export const ISSUER = 'https://auth.example.com'
export const AUDIENCE = 'latchkey'

/** One line of the log. */
export type Line = Record<string, unknown> & { level: string; msg: string }

/** A user of a test, with tokens of a key that the chat trusts. */
export interface User {
  readonly id: string
  readonly name: string
  readonly token: string
  /** A token that says otherwise. */
  tokenWith(claims: Members): string
}

/** The real app on a real database, and what a test looks at. */
export interface Chat {
  readonly app: App
  readonly database: Database<string>
  /** The URL of the database for the owner of its tables. */
  readonly url: string
  readonly key: TestKey
  /** What was logged so far, parsed. */
  readonly lines: readonly Line[]
  /** Somebody new, whose tokens `signer` signs; by default the key of the chat. */
  user(name: string, claims?: Members, signer?: TestKey): User
  /** Sends a request as in `send(ada, 'POST /rooms', { name: 'Tea', visibility: 'public' })`. */
  send(user: User | undefined, line: string, body?: object): Promise<Answer>
}

/** Where a chat is built that shares parts with another one. */
export interface Shared {
  readonly url: string
  readonly key: TestKey
}

/** Builds the chat as its process does, and closes it at the test's end; `shared` is the database and key of another instance. */
export async function startChat(t: Test, env: Record<string, string> = {}, shared?: Shared): Promise<Chat> {
  const key = shared?.key ?? (await makeKey())
  const url = shared?.url ?? (await createChatDatabase(t))
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [key.jwk] }) })
  const places = { JWKS_FILE: join(dir, 'jwks.json'), DATABASE_URL: await serviceUrl(url) }
  const config = chatConfig({ ISSUER, AUDIENCE, ...places, ...env })
  const lines: Line[] = []
  const logger = await createLogger('chat', config, { write: (line: string) => lines.push(JSON.parse(line)) })
  const database = openDatabase(config, () => {})
  const keys = await openKeySet({ ...keySetPlace(config), log: logger })
  const refusals = createRefusals({ database, log: logger })
  const socketRecords = createRefusals({ database, log: logger, bounds: SOCKET_BOUNDS })
  const app = await buildApp(config, { keys, database, refusals, socketRecords, logger })
  t.teardown(async () => {
    keys.close()
    await app.close()
    await Promise.all([refusals.close(), socketRecords.close()])
    await database.close()
  })
  return { app, database, url, key, lines, user: userOf(key), send: sender(app) }
}

function userOf(key: TestKey): Chat['user'] {
  return (name, claims = {}, signer = key) => {
    const id = randomUUID()
    const tokenWith = (others: Members) => {
      const now = Math.floor(Date.now() / 1000)
      const own = { sub: id, preferred_username: name }
      return accessToken(signer, { ...accessClaims(ISSUER, AUDIENCE, now), ...own, ...claims, ...others })
    }
    return { id, name, token: tokenWith({}), tokenWith }
  }
}

function sender(app: App): Chat['send'] {
  return async (user, line, body) => {
    const [method = '', url = ''] = line.split(' ')
    const headers = {
      ...(user && { authorization: `Bearer ${user.token}` }),
      ...(body && { 'content-type': 'application/json' })
    }
    const answer = await app.inject({
      method: method as 'GET',
      url,
      headers,
      ...(body && { payload: JSON.stringify(body) })
    })
    const isJson = /\bjson\b/.test(String(answer.headers['content-type']))
    return {
      status: answer.statusCode,
      headers: answer.headers as Answer['headers'],
      body: isJson && answer.body ? answer.json() : answer.body
    }
  }
}

/** Makes a room; returns its id. */
export async function makeRoom(chat: Chat, owner: User, visibility = 'public', name = 'Tea'): Promise<string> {
  const { body } = await chat.send(owner, 'POST /rooms', { name, visibility })
  return body.id
}
