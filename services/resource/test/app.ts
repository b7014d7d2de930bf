import type { App } from '@latchkey/frame/app-type'
import { feedPlace } from '@latchkey/frame/feed-settings'
import { keySetPlace } from '@latchkey/frame/issuer-settings'
import { createLogger } from '@latchkey/frame/logger'
import type { Answer } from '@latchkey/testing/problem'
import { accessClaims, accessToken, type Members, type TestKey } from '@latchkey/testing/tokens'
import { type KeySet, openFeed, openKeySet } from '@latchkey/verifier'
import type { Test } from 'tap'
import { buildApp } from '../src/app.ts'
import { resourceConfig } from '../src/config.ts'

export const ISSUER = 'https://auth.example.com'
export const AUDIENCE = 'latchkey'

/** One line of the log. */
export type Line = Record<string, unknown> & { level: string; msg: string }

/** The real app with real keys, and what a test looks at. */
export interface Resource {
  readonly app: App
  readonly keys: KeySet
  /** What was logged so far, parsed. */
  readonly lines: readonly Line[]
  /** Sends a request as in `send('GET /greet', { authorization })`. */
  send(line: string, headers?: Record<string, string | string[]>): Promise<Answer>
}

/** Builds the resource service as its process does, and closes it at the test's end; `env` names its keys. */
export async function startResource(t: Test, env: Record<string, string>): Promise<Resource> {
  const config = resourceConfig({ ISSUER, AUDIENCE, ...env })
  const lines: Line[] = []
  const logger = await createLogger('resource', config, { write: (line: string) => lines.push(JSON.parse(line)) })
  const keys = await openKeySet({ ...keySetPlace(config), log: logger })
  const feed = feedPlace(config)
  const revocations = feed && openFeed({ ...feed, log: logger })
  const app = await buildApp(config, { keys, revocations, logger })
  t.teardown(async () => {
    keys.close()
    await revocations?.close()
    await app.close()
  })
  const send: Resource['send'] = async (line, headers = {}) => {
    const [method = '', url = ''] = line.split(' ')
    const answer = await app.inject({ method: method as 'GET', url, headers })
    const isJson = /\bjson\b/.test(String(answer.headers['content-type']))
    return {
      status: answer.statusCode,
      headers: answer.headers as Answer['headers'],
      body: isJson && answer.body ? answer.json() : answer.body
    }
  }
  return { app, keys, lines, send }
}

/** The header of a request with a good token of this key, but for what `claims` say otherwise. */
export function bearer(key: TestKey, claims: Members = {}): { authorization: string } {
  const now = Math.floor(Date.now() / 1000)
  return { authorization: `Bearer ${accessToken(key, { ...accessClaims(ISSUER, AUDIENCE, now), ...claims })}` }
}
