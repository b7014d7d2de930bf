import { createHmac } from 'node:crypto'
import { rs256 } from '@latchkey/testing/tokens'
import { decodeUnverified } from '@latchkey/tokens/compact'
import type { Test } from 'tap'
import { freePort } from '../../scripts/free-port.mjs'
import { startAuth } from '../../services/auth/test/app.ts'
import { forge, type Good, segments } from '../strictness/deviation.ts'
import { makeForger } from '../strictness/forger.ts'
import { signingKeys } from '../strictness/signing-keys.ts'

export const AUDIENCE = 'latchkey'
export const USERNAME = 'Ada Müller'

/** An auth service that listens, with one user, and tokens of all kinds. */
export interface Issuer {
  readonly url: string
  readonly userId: string
  readonly sessionId: string
  /** The user's access token, as a login gave it. */
  readonly access: string
  /** What an attacker can show, by what it is; nobody may accept any. */
  readonly attacks: Readonly<Record<string, string>>
  /** What only a holder of the signing key can make, by what is wrong with it. Libraries differ in these. */
  readonly oddities: Readonly<Record<string, string>>
}

/** Starts the auth service with keys that the test holds as well. */
export async function startIssuer(t: Test): Promise<Issuer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const forger = await makeForger()
  const auth = await startAuth(t, { env: { ISSUER: url }, keys: await signingKeys(forger.keys) })
  await auth.app.listen({ port, host: '127.0.0.1' })
  const { access_token: access, refresh_token: refresh, id: userId } = await auth.person({ username: USERNAME })
  const { claims } = decodeUnverified(access)
  const good = forger.good('access', claims, { now: Math.floor(Date.now() / 1000), leeway: 5 })
  return {
    url,
    userId,
    sessionId: String(claims['sid']),
    access,
    attacks: { ...attacksOn(good), 'a refresh token': refresh },
    oddities: odditiesOf(good)
  }
}

function attacksOn(good: Good): Record<string, string> {
  const { key, strangers, now } = good
  const { header, payload, signature } = segments(good)
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' })
  const hmac = (input: Buffer) => createHmac('sha256', pem).update(input).digest()
  const other = Buffer.from(JSON.stringify({ ...good.claims, preferred_username: 'Mallory' })).toString('base64url')
  const byStranger = rs256(strangers.rsa)
  return {
    'no token at all': 'nonsense',
    'other claims under the signature': `${header}.${other}.${signature}`,
    'no signature': `${header}.${payload}.`,
    'alg none': forge(good, { header: { alg: 'none' }, sign: () => Buffer.alloc(0) }),
    'HS256 with the public key': forge(good, { header: { alg: 'HS256' }, sign: hmac }),
    "a stranger's key under our kid": forge(good, { sign: byStranger }),
    "a stranger's key under its kid": forge(good, { header: { kid: strangers.rsa.kid }, sign: byStranger }),
    "a stranger's key in the header": forge(good, { header: { jwk: strangers.rsa.jwk }, sign: byStranger }),
    'expired a quarter of an hour ago': forge(good, { claims: { iat: now - 1800, exp: now - 900 } }),
    'for another service': forge(good, { claims: { aud: 'others' } })
  }
}

function odditiesOf(good: Good): Record<string, string> {
  const { now } = good
  return {
    'another `iss`': forge(good, { claims: { iss: 'https://other.example' } }),
    'another `typ`': forge(good, { header: { typ: 'JWT' } }),
    'no `exp`': forge(good, { claims: { exp: undefined } }),
    'no `aud`': forge(good, { claims: { aud: undefined } }),
    'an `nbf` to come': forge(good, { claims: { nbf: now + 900 } }),
    'an unknown `crit`': forge(good, { header: { crit: ['x'], x: 1 } })
  }
}
