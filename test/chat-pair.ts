import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChatDatabase, createDatabase, serviceUrl } from '@latchkey/testing/database'
import type { Test } from 'tap'
import { freePort } from '../scripts/free-port.mjs'
import { runScript, type Service, service } from './pair.ts'

/**
 * The auth service and the chat as processes on free ports, each with a database of its own; everything is gone when the
 * test ends. Pages of the chat may sign in at the auth service, whose feed the chat reads. `own` are settings for one.
 */
export async function startAuthAndChat(
  t: Test,
  own: { auth?: Record<string, string>; chat?: Record<string, string> } = {}
): Promise<{ auth: Service; chat: Service }> {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-chat-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const keys = join(dir, 'keys')
  await runScript('generate-keys.sh', [], { KEYS_DIR: keys })
  const [authPort, chatPort] = [await freePort(), await freePort()]
  const issuer = `http://127.0.0.1:${authPort}`
  const shared = { PATH: process.env.PATH ?? '', ISSUER: issuer, AUDIENCE: 'latchkey' }
  const auth = service(t, 'auth', {
    ...shared,
    PORT: String(authPort),
    KEYS_DIR: keys,
    BCRYPT_COST: '10',
    DATABASE_URL: await serviceUrl(await createDatabase(t)),
    CORS_ORIGINS: `http://127.0.0.1:${chatPort}`,
    REVOCATION_FEED: 'open',
    RATE_LIMIT_PER_MINUTE: '1000',
    ...own.auth
  })
  const chat = service(t, 'chat', {
    ...shared,
    PORT: String(chatPort),
    JWKS_URL: `${issuer}/.well-known/jwks.json`,
    DATABASE_URL: await serviceUrl(await createChatDatabase(t)),
    FEED_URL: `${issuer}/revocations`,
    FEED_WHEN_CUT: 'accept',
    ...own.chat
  })
  await Promise.all([auth.start(), chat.start()])
  return { auth, chat }
}
