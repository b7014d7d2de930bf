import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { CompactSign, exportJWK, type JWK } from 'jose'
import t from 'tap'
import { type Head, type HeadSigner, isHeadDue } from '../src/heads.ts'
import { runSealer } from '../src/seal.ts'
import { HEAD_TYPE } from '../src/signatures.ts'
import { openLog } from './log.ts'
import { memoryLog } from './memory-log.ts'
import { headsOf, until } from './sealing.ts'

const due: [name: string, seq: number, last_seq: number | null, is_recent: boolean | null, isDue: boolean][] = [
  ['nothing was ever sealed', 0, null, null, false],
  ['there is no head yet', 1, null, null, true],
  ['nothing came since the last head', 5, 5, false, false],
  ['something came, less than a minute after it', 6, 5, true, false],
  ['something came, and the minute is over', 6, 5, false, true],
  ['999 records came in the same minute', 1004, 5, true, false],
  ['1,000 records came in the same minute', 1005, 5, true, true]
]
for (const [name, seq, last_seq, is_recent, isDue] of due) {
  t.test(`${isDue ? 'a' : 'no'} head is due if ${name}`, async (t) => {
    t.equal(isHeadDue({ seq, last_seq, is_recent }), isDue)
  })
}

/** A signer with one key, which may be withdrawn. */
async function makeSigner(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk: JWK = await exportJWK(publicKey)
  return {
    kid,
    sign: async (head: Head) => ({
      kid,
      jwk,
      jws: await new CompactSign(new TextEncoder().encode(JSON.stringify(head)))
        .setProtectedHeader({ alg: 'RS256', typ: HEAD_TYPE, kid })
        .sign(privateKey)
    })
  }
}

t.test('a signed head, its key first; what waited for a key is signed later', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const { database } = audit
  const key = await makeSigner('first')
  let signs = false
  const signer: HeadSigner = { sign: async (head) => (signs ? key.sign(head) : undefined), accepts: () => true }
  const sealer = runSealer({ database, log, signer, pause: 20 })
  await audit.append(2)
  await until(() => lines.length > 0)
  t.match(lines, [{ event: 'audit_head', kid: null }])
  // Whoever can only add heads gets none signed.
  await database.query(`INSERT INTO audit_heads (seq, hash) VALUES (1, sha256('another')), (900, sha256('later'))`)
  signs = true
  await until(() => lines.length > 1)
  await sleep(200)
  t.equal(lines.length, 2)
  const heads = await headsOf(audit)
  t.strictSame(
    heads.map(({ seq, jws }) => [seq, jws !== null]),
    [
      [1, false],
      [2, true],
      [900, false]
    ]
  )
  t.match(lines[1], { event: 'audit_head', seq: 2, kid: 'first' })
  const [part = ''] = [heads[1]?.jws?.split('.')[1]]
  const said = JSON.parse(Buffer.from(part, 'base64url').toString())
  t.match(said, { database: String, seq: 2, hash: heads[1]?.hash, at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ })
  t.strictSame(await audit.rows('SELECT kid FROM audit_keys'), [{ kid: 'first' }])
  await sealer.close()
})

t.test('when a key is revoked, the next one signs the present head at once, and once', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const { database } = audit
  const keys = [await makeSigner('first'), await makeSigner('next')]
  let revoked = 0
  const current = () => keys[revoked]
  const signer: HeadSigner = {
    sign: async (head) => current()?.sign(head),
    accepts: (kid) => keys.findIndex((key) => key.kid === kid) >= revoked
  }
  const sealers = [1, 2].map(() => runSealer({ database, log, signer, pause: 20 }))
  await audit.append(2)
  await until(() => lines.length > 0)
  revoked = 1
  await until(() => lines.length > 1)
  await sleep(200)
  t.match(
    lines.map(({ seq }) => seq),
    [2, 2]
  )
  t.match(
    lines.map(({ kid }) => kid),
    ['first', 'next']
  )
  revoked = 2
  await sleep(200)
  t.equal(lines.length, 2, 'without a key the head stays')
  t.equal((await headsOf(audit)).length, 1)
  await Promise.all(sealers.map((sealer) => sealer.close()))
})
