import { sign } from 'node:crypto'
import type { SigningKey } from './key-file.ts'

/**
 * Signs claims with RS256 as a JWS in compact form (RFC 7515 §3.1, RFC 7518 §3.3), off the main thread. The text is the same that jose's
 * `CompactSign` makes.
 *
 * The header has `alg`, `typ` and `kid`. Rejects if the key cannot sign.
 */
export function signCompact(
  { kid, privateKey }: Pick<SigningKey, 'kid' | 'privateKey'>,
  typ: string,
  claims: object
): Promise<string> {
  const input = `${encoded({ alg: 'RS256', typ, kid })}.${encoded(claims)}`
  return new Promise((resolve, reject) => {
    // For an RSA key the default padding is that of PKCS #1 v1.5. A callback has libuv's threads do the work.
    sign('sha256', Buffer.from(input), privateKey, (error, signature) => {
      if (error) reject(error)
      else resolve(`${input}.${signature.toString('base64url')}`)
    })
  })
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
