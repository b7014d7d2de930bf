import { constants, createHash, createPublicKey, privateEncrypt } from 'node:crypto'
import { base64url, rs256, type Signer } from '@latchkey/testing/tokens'
import { accepted, type Deviation, forge, forged, type Good, refused, segments } from './deviation.ts'

type Change = (signature: Buffer, good: Good) => Buffer

// What becomes of the 256 bytes of a genuine signature.
const CHANGED: Record<string, Change> = {
  'cut by one byte': (bytes) => bytes.subarray(0, -1),
  'cut by four bytes': (bytes) => bytes.subarray(0, -4),
  'cut to its first half': (bytes) => bytes.subarray(0, 128),
  'cut to one byte': (bytes) => bytes.subarray(0, 1),
  'without its first byte': (bytes) => bytes.subarray(1),
  'with a zero byte before it': (bytes) => Buffer.concat([Buffer.alloc(1), bytes]),
  'with a zero byte after it': (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]),
  'twice in a row': (bytes) => Buffer.concat([bytes, bytes]),
  'with its first bit turned': (bytes) => turned(bytes, 0, 0x80),
  'with its last bit turned': (bytes) => turned(bytes, bytes.length - 1, 0x01),
  'with a bit in the middle turned': (bytes) => turned(bytes, 128, 0x10),
  reversed: (bytes) => Buffer.from(bytes).reverse(),
  'of zeros': (bytes) => Buffer.alloc(bytes.length),
  'that is 1': (bytes) => turned(Buffer.alloc(bytes.length), bytes.length - 1, 0x01),
  'of ones': (bytes) => Buffer.alloc(bytes.length, 0xff),
  'that is the modulus': (_, { key }) => Buffer.from(key.jwk.n, 'base64url'),
  'in hex': (bytes) => Buffer.from(bytes.toString('hex')),
  'in base64 once more': (bytes) => Buffer.from(bytes.toString('base64')),
  'over the payload alone': (_, good) => rs256(good.key)(Buffer.from(segments(good).payload)),
  'over another payload': (_, good) => rs256(good.key)(Buffer.from(`${segments(good).header}.${base64url('{}')}`)),
  'over a hash of the text': (_, good) =>
    rs256(good.key)(
      createHash('sha256')
        .update(`${segments(good).header}.${segments(good).payload}`)
        .digest()
    )
}

function turned(bytes: Buffer, at: number, bits: number): Buffer {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(at) ^ bits, at)
  return changed
}

const changed: Deviation[] = Object.entries(CHANGED).map(([name, change]) =>
  forged(`a signature ${name}`, (good) => forge(good, { sign: (input) => change(rs256(good.key)(input), good) }))
)

// EMSA-PKCS1-v1_5 (RFC 8017 §9.2) is 00 01 FF…FF 00 DigestInfo; what a lax parser of the padding would let through.
const SIZE = 256
const SHA256 = '3031300d060960864801650304020105000420'
const SHA256_WITHOUT_NULL = '302f300b0609608648016503040201' + '0420'
const SHA512_OF_32_BYTES = '3031300d060960864801650304020305000420'

const BLOCKS: Record<string, (hash: Buffer) => Buffer> = {
  'bytes after the hash': (hash) =>
    Buffer.concat([block(1, 0xff, info(SHA256, hash), 70), Buffer.alloc(SIZE - 70, 0x5a)]),
  'bytes between padding and DigestInfo': (hash) =>
    block(1, 0xff, Buffer.concat([Buffer.alloc(9, 0x5a), info(SHA256, hash)])),
  'block type 2': (hash) => block(2, 0xff, info(SHA256, hash)),
  'block type 0': (hash) => block(0, 0x00, info(SHA256, hash)),
  'padding other than FF': (hash) => block(1, 0xfe, info(SHA256, hash)),
  'a bare hash': (hash) => block(1, 0xff, hash),
  'a DigestInfo without NULL': (hash) => block(1, 0xff, info(SHA256_WITHOUT_NULL, hash)),
  'a DigestInfo that says SHA-512': (hash) => block(1, 0xff, info(SHA512_OF_32_BYTES, hash)),
  'the hash of something else': (hash) => block(1, 0xff, info(SHA256, Buffer.from(hash).reverse()))
}

function info(prefix: string, hash: Buffer): Buffer {
  return Buffer.concat([Buffer.from(prefix, 'hex'), hash])
}

function block(type: number, fill: number, tail: Buffer, size = SIZE): Buffer {
  const head = Buffer.from([0, type])
  const end = Buffer.concat([Buffer.from([0]), tail])
  return Buffer.concat([head, Buffer.alloc(size - head.length - end.length, fill), end])
}

function padded(pad: (hash: Buffer) => Buffer, { key }: Good): Signer {
  return (input) =>
    privateEncrypt(
      { key: key.privateKey, padding: constants.RSA_NO_PADDING },
      pad(createHash('sha256').update(input).digest())
    )
}

const blocks: Deviation[] = [
  ...Object.entries(BLOCKS).map(([name, pad]) =>
    forged(`a signature block with ${name}`, (good) => forge(good, { sign: padded(pad, good) }))
  ),
  accepted('a signature block as it should be, padded by hand', (good) =>
    forge(good, { sign: padded((hash) => block(1, 0xff, info(SHA256, hash)), good) })
  )
]

const byOtherKeys: Deviation[] = [
  forged('signed by a stranger under our kid', (good) => forge(good, { sign: rs256(good.strangers.rsa) })),
  forged('signed by a stranger under their own kid', (good) =>
    forge(good, { header: { kid: good.strangers.rsa.kid }, sign: rs256(good.strangers.rsa) })
  ),
  forged('signed by a short key under our kid', (good) => forge(good, { sign: rs256(good.strangers.short) })),
  forged('signed by the key of the other kind under the kid of this one', (good) =>
    forge(good, { sign: rs256(good.otherKind) })
  ),
  forged('signed by the key of the other kind under its kid', (good) =>
    forge(good, { header: { kid: good.otherKind.kid }, sign: rs256(good.otherKind) })
  ),
  forged('signed by our key under the kid of the other kind', (good) =>
    forge(good, { header: { kid: good.otherKind.kid } })
  )
]

const LEAF = (good: Good) => createPublicKey(good.strangers.rsa.privateKey).export({ type: 'spki', format: 'der' })

// RFC 8725 §3.10: a token that names or brings the key it was signed with.
const BROUGHT: Record<string, (good: Good) => object> = {
  jwk: ({ strangers }) => ({ jwk: strangers.rsa.jwk }),
  jku: ({ trap }) => ({ jku: `${trap}/jwks.json` }),
  x5u: ({ trap }) => ({ x5u: `${trap}/chain.pem` }),
  x5c: (good) => ({ x5c: [LEAF(good).toString('base64')] }),
  'kid that is a URL': ({ trap }) => ({ kid: `${trap}/jwks.json` })
}

const bringingKeys: Deviation[] = Object.entries(BROUGHT).flatMap(([name, member]) => [
  refused(`signed by a stranger, with the ${name} of their key`, (good) =>
    forge(good, { header: { kid: good.strangers.rsa.kid, ...member(good) }, sign: rs256(good.strangers.rsa) })
  ),
  refused(`signed by a stranger under our kid, with the ${name} of their key`, (good) =>
    forge(good, { header: member(good) as Record<string, unknown>, sign: rs256(good.strangers.rsa) })
  )
])

/** RS256 it says, but the signature is not that of the right key (rows 5, 7, 10, 26). */
export const signatures: readonly Deviation[] = [...changed, ...blocks, ...byOtherKeys, ...bringingKeys]
