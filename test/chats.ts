import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChatDatabase, serviceUrl } from '@latchkey/testing/database'
import { accessClaims, accessToken, type Members, makeKey } from '@latchkey/testing/tokens'
import type { Test } from 'tap'
import { freePort } from '../scripts/free-port.mjs'
import { type Service, service } from './pair.ts'

const ISSUER = 'https://auth.example.com'
const AUDIENCE = 'latchkey'

/** Instances of the chat that share a database, and who signs tokens for them. */
export interface Chats {
  readonly chats: readonly Service[]
  /** Signs a good token, but for what `claims` say otherwise. */
  tokenOf(claims: Members): string
}

/**
 * Starts instances of the chat as processes, with a key of the test in place of an auth service, and a database of their
 * own if `extra` names none.
 */
export async function startChats(t: Test, count: number, extra: Record<string, string> = {}): Promise<Chats> {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-chats-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const key = await makeKey()
  const JWKS_FILE = join(dir, 'jwks.json')
  await writeFile(JWKS_FILE, JSON.stringify({ keys: [key.jwk] }))
  const env = {
    PATH: process.env.PATH ?? '',
    ISSUER,
    AUDIENCE,
    JWKS_FILE,
    DATABASE_URL: extra['DATABASE_URL'] ?? (await serviceUrl(await createChatDatabase(t))),
    ...extra
  }
  const chats: Service[] = []
  for (let n = 0; n < count; n += 1) chats.push(service(t, 'chat', { ...env, PORT: String(await freePort()) }))
  await Promise.all(chats.map((chat) => chat.start()))
  const tokenOf = (claims: Members) => {
    const now = Math.floor(Date.now() / 1000)
    return accessToken(key, { ...accessClaims(ISSUER, AUDIENCE, now), ...claims })
  }
  return { chats, tokenOf }
}
