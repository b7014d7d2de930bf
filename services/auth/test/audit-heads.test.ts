import { HEAD_TYPE } from '@latchkey/audit/signatures'
import { isProblem } from '@latchkey/testing/problem'
import { compactVerify, importJWK } from 'jose'
import t from 'tap'
import { createHeadSigner } from '../src/keys/head-signer.ts'
import { createRing } from '../src/keys/ring.ts'
import { ISSUER, startAuth } from './app.ts'
import { headerOf, resign } from './tokens.ts'

const HEAD = { database: 'latchkey', seq: 7, hash: 'ab'.repeat(32), at: '2026-01-31T12:00:00.000000Z' }

t.test('a head is signed with the access key in force, and no token rule accepts it', async (t) => {
  const { keys, person, send } = await startAuth(t)
  const { access } = keys
  const signed = await createHeadSigner(access, ISSUER).sign(HEAD)
  const { jws = '', kid, jwk } = signed ?? {}
  t.equal(kid, access.current.kid)
  t.strictSame(headerOf(jws), { alg: 'RS256', typ: HEAD_TYPE, kid })
  const { payload } = await compactVerify(jws, await importJWK(jwk ?? {}, 'RS256'))
  t.strictSame(JSON.parse(Buffer.from(payload).toString()), { iss: ISSUER, ...HEAD })

  // Also with all that a token says, so that its type alone is wrong.
  const ada = await person()
  const header = { typ: HEAD_TYPE }
  const asAccess = await resign(ada.access_token, access.current, { header })
  const asRefresh = await resign(ada.refresh_token, keys.refresh.current, { header })
  for (const token of [jws, asAccess]) isProblem(t, await send('GET /me', { token }), 'invalid_token')
  for (const token of [jws, asRefresh]) isProblem(t, await send('POST /refresh-token', { token }), 'invalid_token')
  t.equal((await send('GET /me', { token: await resign(ada.access_token, access.current, {}) })).status, 200)
})

t.test('without a key in force nothing is signed, and a key that is gone does not count', async (t) => {
  const ring = createRing()
  const { keys } = await startAuth(t)
  const key = keys.access.current
  const signer = createHeadSigner(ring, ISSUER)
  t.equal(await signer.sign(HEAD), undefined, 'before the database was asked')
  ring.set(key, [key])
  t.equal((await signer.sign(HEAD))?.kid, key.kid)
  t.equal(signer.accepts(key.kid), true)
  ring.set(undefined, [])
  t.equal(await signer.sign(HEAD), undefined)
  t.equal(signer.accepts(key.kid), false)
})
