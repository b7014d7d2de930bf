import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign, calculateJwkThumbprint, importJWK } from 'jose'
import t, { type Test } from 'tap'
import type { GivenHead } from '../src/given-heads.ts'
import type { PublicKeys } from '../src/given-keys.ts'
import { type Evidence, verifyLog } from '../src/verify.ts'
import { type Log, openLog } from './log.ts'

interface Key {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: object
  readonly keys: PublicKeys
}

async function makeKey(): Promise<Key> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = publicKey.export({ format: 'jwk' })
  const kid = await calculateJwkThumbprint(jwk)
  const key = await importJWK(jwk, 'RS256', { extractable: true })
  if (key instanceof Uint8Array) throw new Error('no RSA key')
  return { kid, privateKey, jwk, keys: new Map([[kid, key]]) }
}

const [KEY, OTHER] = [await makeKey(), await makeKey()]

function sign(head: object, { kid, privateKey }: Key, typ = 'audit-head+jwt'): Promise<string> {
  const payload = { iss: 'https://auth.example.com', database: 'latchkey', at: '2026-01-31T12:00:00.000Z', ...head }
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'RS256', typ, kid })
    .sign(privateKey)
}

async function verify(log: Log, evidence: Evidence = {}) {
  const told: string[] = []
  return { ...(await verifyLog(log.database, evidence, (fault) => told.push(fault))), told }
}

/** A log of ten records with a head that this key signed. */
async function signed(t: Test, key: Key, more: object = {}, typ?: string) {
  const log = await openLog(t)
  await log.append(10)
  await log.seal()
  const { seq, hash } = await log.storeHead()
  const jws = await sign({ seq, hash, ...more }, key, typ)
  await log.rows('UPDATE audit_heads SET jws = $1', [jws])
  const kept: GivenHead = { seq, hash: Buffer.from(hash, 'hex'), jws, at: null, source: 'kept' }
  return { log, seq, hash, jws, kept }
}

t.test('a signature by a given key vouches; one by a key that only the database knows does not', async (t) => {
  const { log } = await signed(t, KEY)
  await log.rows('INSERT INTO audit_keys VALUES ($1, $2)', [KEY.kid, KEY.jwk])
  t.match(await verify(log, { keys: KEY.keys }), { told: [], heads: { vouched: 1, unvouched: 0 } })
  t.match(await verify(log), { told: [], heads: { vouched: 0, unvouched: 1 } })
  t.match(await verify(log, { keys: OTHER.keys }), { told: [], heads: { vouched: 0, unvouched: 1 } })
})

t.test('a signature by a key that nobody knows is a fault', async (t) => {
  const { log } = await signed(t, KEY)
  t.strictSame((await verify(log)).told, [
    `the stored head of record 10 is forged: its signature is by a key that nobody knows (${KEY.kid})`
  ])
})

t.test('a key of the database that is under the name of another counts as what it is', async (t) => {
  const { log } = await signed(t, { ...OTHER, kid: KEY.kid })
  await log.rows('INSERT INTO audit_keys VALUES ($1, $2)', [KEY.kid, OTHER.jwk])
  t.match((await verify(log)).told, [/by a key that nobody knows/])
  t.strictSame((await verify(log, { keys: KEY.keys })).told, [
    'the stored head of record 10 is forged: its signature is false'
  ])
})

t.test('a signature of another head, or of something else, is a fault', async (t) => {
  const other = await signed(t, KEY, { seq: 9 })
  t.match((await verify(other.log, { keys: KEY.keys })).told, ['its signature is of another head, of record 9'])
  const hash = await signed(t, KEY, { hash: 'ab'.repeat(32) })
  t.match((await verify(hash.log, { keys: KEY.keys })).told, ['its signature is of another head, of record 10'])
  const token = await signed(t, KEY, {}, 'at+jwt')
  t.match((await verify(token.log, { keys: KEY.keys })).told, ['what is signed is of the type at+jwt, no head'])
})

t.test('what is no JWS, or not RS256, is a fault and no error', async (t) => {
  const { log, jws } = await signed(t, KEY)
  const [header = '', payload = ''] = jws.split('.')
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'audit-head+jwt', kid: KEY.kid })).toString('base64url')
  for (const bad of ['', 'x', '..', `${header}.${payload}.`, `${none}.${payload}.`, `${header}.${payload}.AAAA`]) {
    await log.rows('UPDATE audit_heads SET jws = $1', [bad])
    t.match((await verify(log, { keys: KEY.keys })).told, [/^the stored head of record 10 is forged: /], bad)
  }
})

t.test('what a revoked key signed counts only with a copy that was kept', async (t) => {
  const { log, kept } = await signed(t, KEY)
  const revoked = new Set([KEY.kid])
  t.match(await verify(log, { keys: KEY.keys, revoked }), { told: [], heads: { vouched: 0, revoked: 1 } })
  t.match(await verify(log, { keys: KEY.keys, revoked, heads: [kept] }), { told: [], heads: { revoked: 1, kept: 1 } })
})

t.test('a kept head whose signature is false is forged; whose key nobody knows, it counts as it is', async (t) => {
  const { log, kept, seq } = await signed(t, KEY)
  await log.rows('UPDATE audit_heads SET jws = NULL')
  t.match(await verify(log, { heads: [kept] }), { told: [], heads: { kept: 1, unsigned: 1 } })
  const hash = Buffer.alloc(32, 7)
  t.strictSame((await verify(log, { keys: KEY.keys, heads: [{ ...kept, hash }] })).told, [
    'the head of record 10 in kept is forged: its signature is of another head, of record 10'
  ])
  const false_ = { ...kept, hash, jws: await sign({ seq, hash: hash.toString('hex') }, KEY) }
  t.match((await verify(log, { keys: KEY.keys, heads: [false_] })).told, ['the head of record 10 in kept does not fit'])
})
