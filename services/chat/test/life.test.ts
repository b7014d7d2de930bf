// How long a socket is bound to its token, without a socket.
import { join } from 'node:path'
import type { Queryable } from '@latchkey/database/pool'
import { accessClaims, accessToken, makeKey } from '@latchkey/testing/tokens'
import { createVerifier, openKeySet } from '@latchkey/verifier'
import t from 'tap'
import type { Live } from '../src/live/live.ts'
import { Life, type LifeParts } from '../src/sockets/life.ts'
import type { Line } from '../src/sockets/line.ts'
import { AUDIENCE, ISSUER } from './app.ts'

t.test('a socket that is closed while its next token is looked up watches no token', async (t) => {
  const key = await makeKey()
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [key.jwk] }) })
  const keys = await openKeySet({ file: join(dir, 'jwks.json') })
  t.teardown(() => keys.close())
  const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE, keys })
  const watches = new Set<() => void>()
  const watch: LifeParts['verifier']['watch'] = (...args) => {
    const stop = verifier.watch(...args)
    watches.add(stop)
    return () => {
      watches.delete(stop)
      stop()
    }
  }
  const text = accessToken(key, accessClaims(ISSUER, AUDIENCE, Math.floor(Date.now() / 1000)))
  const token = await verifier.examine(text)
  let found = (_rows: object[]) => {}
  const database: Queryable = {
    query: <T>() =>
      new Promise<T[]>((resolve) => {
        found = (rows) => resolve(rows as T[])
      })
  }
  const settings = { live: {} as Live, heartbeat: 1000, expiryWarning: 0, messagesPerMinute: 1 }
  const life = new Life({ ...settings, verifier: { ...verifier, watch }, database }, {} as Line, token)
  t.equal(watches.size, 1)
  const renewed = life.renew({ ticket: 'x'.repeat(43) })
  life.close()
  found([{ kid: token.header.kid, claims: token.claims }])
  await renewed
  t.equal(watches.size, 0)
})
