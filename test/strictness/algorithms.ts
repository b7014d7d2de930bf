import { constants, createHmac, type KeyObject, sign } from 'node:crypto'
import type { Signer, TestKey } from '@latchkey/testing/tokens'
import { type Deviation, forge, forged, type Good, refused } from './deviation.ts'

// What an attacker has of our public key, and may try as the secret of an HMAC (RFC 8725 §2.1).
const SECRETS: Record<string, (key: TestKey) => string | Buffer> = {
  'the PEM': (key) => pem(key),
  'the PEM without final newline': (key) => pem(key).trimEnd(),
  'the PEM with CRLF': (key) => pem(key).replaceAll('\n', '\r\n'),
  'the PEM after a space': (key) => ` ${pem(key)}`,
  'the PEM without its lines BEGIN and END': (key) => pem(key).split('\n').slice(1, -2).join(''),
  'the PKCS#1 PEM': ({ publicKey }) => publicKey.export({ type: 'pkcs1', format: 'pem' }),
  'the DER': ({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' }),
  'the PKCS#1 DER': ({ publicKey }) => publicKey.export({ type: 'pkcs1', format: 'der' }),
  'the JWK': ({ jwk }) => JSON.stringify(jwk),
  'the JWK of two members': ({ jwk: { n, e } }) => JSON.stringify({ kty: 'RSA', n, e }),
  'the text of n': ({ jwk }) => jwk.n,
  'the bytes of n': ({ jwk }) => Buffer.from(jwk.n, 'base64url'),
  'the kid': ({ kid }) => kid,
  'no bytes at all': () => ''
}

function pem({ publicKey }: TestKey): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

const hmacs: Deviation[] = ['256', '384', '512'].flatMap((size) =>
  Object.entries(SECRETS).map(([name, secret]) =>
    refused(`HS${size} with ${name} as secret`, (good) =>
      forge(good, {
        header: { alg: `HS${size}` },
        sign: (input) => createHmac(`sha${size}`, secret(good.key)).update(input).digest()
      })
    )
  )
)

const nothing: Signer = () => Buffer.alloc(0)

const unsecured: Deviation[] = [
  ...['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'noné', ''].map((alg) =>
    refused(`alg ${JSON.stringify(alg)} and an empty signature`, (good) =>
      forge(good, { header: { alg }, sign: nothing })
    )
  ),
  ...['none', 'NONE'].flatMap((alg) => [
    refused(`alg ${alg} without the last dot`, (good) => forge(good, { header: { alg }, sign: nothing }).slice(0, -1)),
    refused(`alg ${alg} and a signature of one byte`, (good) =>
      forge(good, { header: { alg }, sign: () => Buffer.from('x') })
    ),
    refused(`alg ${alg} and a genuine signature`, (good) => forge(good, { header: { alg } }))
  ]),
  refused('alg none, no kid, an empty signature', (good) =>
    forge(good, { header: { alg: 'none', kid: undefined }, sign: nothing })
  ),
  refused('an empty signature', (good) => forge(good, { sign: nothing })),
  refused('an empty signature without the last dot', (good) => forge(good, { sign: nothing }).slice(0, -1))
]

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }

// One key, one algorithm (RFC 8725 §3.1): each of these signatures is good, by the alg that it says.
const ALGORITHMS: Record<string, (good: Good) => Signer> = {
  RS1: ({ key }) => hashed('sha1', key.privateKey),
  RS384: ({ key }) => hashed('sha384', key.privateKey),
  RS512: ({ key }) => hashed('sha512', key.privateKey),
  PS256: ({ key }) => hashed('sha256', key.privateKey, PSS),
  PS384: ({ key }) => hashed('sha384', key.privateKey, PSS),
  PS512: ({ key }) => hashed('sha512', key.privateKey, PSS),
  ES256: ({ strangers }) => hashed('sha256', strangers.ec, { dsaEncoding: 'ieee-p1363' }),
  EdDSA:
    ({ strangers }) =>
    (input) =>
      sign(null, input, strangers.ed)
}

function hashed(hash: string, key: KeyObject, options: object = {}): Signer {
  return (input) => sign(hash, input, { key, ...options })
}

const others: Deviation[] = Object.entries(ALGORITHMS).flatMap(([alg, signer]) => [
  refused(`${alg}, well signed`, (good) => forge(good, { header: { alg }, sign: signer(good) })),
  forged(`a signature of ${alg} under alg RS256`, (good) => forge(good, { sign: signer(good) })),
  refused(`alg ${alg} over a signature of RS256`, (good) => forge(good, { header: { alg } }))
])

const NO_ALG = [
  'rs256',
  'Rs256',
  'RS256 ',
  ' RS256',
  'RS256\0',
  'RS-256',
  'RSA-SHA256',
  'sha256',
  'RS2567',
  'dir',
  'RSA-OAEP',
  'RSA1_5',
  'HS256',
  '__proto__',
  'constructor',
  ['RS256'],
  ['none', 'RS256'],
  { RS256: 'RS256' },
  null,
  undefined,
  true,
  256
]

const spellings: Deviation[] = NO_ALG.map((alg) =>
  refused(`alg ${JSON.stringify(alg)} over a signature of RS256`, (good) => forge(good, { header: { alg } }))
)

/** Any alg but RS256, most of them well signed by it (security.md rows 1 to 4). */
export const algorithms: readonly Deviation[] = [...hmacs, ...unsecured, ...others, ...spellings]
