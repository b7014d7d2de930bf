import { createHash, generateKeyPair, type KeyObject, randomUUID, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { AccessClaims, RefreshClaims } from '@latchkey/tokens/claims'

/** An RSA key pair of a test, known by its RFC 7638 thumbprint. */
export interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** As a key set lists it. */
  readonly jwk: { kty: 'RSA'; n: string; e: string; kid: string; use: 'sig'; alg: 'RS256' }
}

/** Members of a header or of claims; one that is `undefined` is left out. */
export type Members = Readonly<Record<string, unknown>>

/** Makes the signature over `<header>.<payload>`. */
export type Signer = (input: Buffer) => Buffer

export async function makeKey(modulusLength = 2048): Promise<TestKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength })
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url')
  return { kid, privateKey, publicKey, jwk: { kty: 'RSA', n, e, kid, use: 'sig', alg: 'RS256' } }
}

export function rs256({ privateKey }: Pick<TestKey, 'privateKey'>): Signer {
  return (input) => sign('sha256', input, privateKey)
}

/** A number or other JSON that `JSON.stringify` would not write, such as `1e999`. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toJSON(): string {
    return `raw:${this.text}:raw`
  }
}

function toJson(members: Members): string {
  return JSON.stringify(members).replaceAll(/"raw:(.*?):raw"/g, '$1')
}

export function base64url(content: Members | string | Buffer): string {
  const bytes = typeof content === 'string' || Buffer.isBuffer(content) ? content : toJson(content)
  return Buffer.from(bytes as string).toString('base64url')
}

/** Puts a JWS in compact form together from a header and claims, each as members, text or bytes. */
export function compact(header: Members | string | Buffer, claims: Members | string | Buffer, signer: Signer): string {
  const input = `${base64url(header)}.${base64url(claims)}`
  return `${input}.${signer(Buffer.from(input)).toString('base64url')}`
}

/** Signs a text as it stands, whatever it holds, so that nothing but its form is wrong. */
export function signText(input: string, signer: Signer): string {
  return `${input}.${signer(Buffer.from(input, 'latin1')).toString('base64url')}`
}

/** What a good access token says; `now` in seconds. */
export function accessClaims(issuer: string, audience: string, now: number): AccessClaims {
  return {
    iss: issuer,
    aud: audience,
    sub: randomUUID(),
    client_id: 'latchkey',
    iat: now,
    exp: now + 900,
    jti: randomUUID(),
    token_use: 'access',
    sid: randomUUID(),
    preferred_username: 'Ada',
    roles: ['user'],
    epoch: 0
  }
}

/** What a good refresh token says; `now` in seconds. */
export function refreshClaims(issuer: string, now: number): RefreshClaims {
  const sid = randomUUID()
  return {
    iss: issuer,
    aud: issuer,
    sub: randomUUID(),
    iat: now,
    exp: now + 3600,
    jti: `${sid}.0`,
    token_use: 'refresh',
    sid,
    generation: 0,
    custom_key: createHash('sha256').update(sid).digest('hex')
  }
}

/** Signs a good access token, but for what `claims` and `header` say otherwise. */
export function accessToken(key: TestKey, claims: Members, header: Members = {}): string {
  return compact({ alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...header }, claims, rs256(key))
}
