import { decodeUnverified } from '@latchkey/tokens/compact'
import { calculateJwkThumbprint } from 'jose'
import t from 'tap'
import { readKeySet, type VerificationKey } from '../src/jwk.ts'

// What the standards print, with the line breaks taken out.

/** RFC 7638 §3.1. */
const RFC7638 = {
  kty: 'RSA',
  n:
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3' +
    'oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA' +
    'ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-' +
    'kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29'
}

/** RFC 7515 §A.2: claims that a JWT may have, and a key without a name. */
const RFC7515 = {
  n:
    'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ' +
    'S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2' +
    'R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD' +
    'TW9gb54h4FRWyuXpoQ',
  signed:
    'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp' +
    '0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9' +
    'uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383' +
    'LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVm' +
    'tVrBp0igcN_IoypGlUPQGe77Rw'
}

/** RFC 7520 §3.3 and §4.1: a signed text. */
const RFC7520 = {
  kid: 'bilbo.baggins@hobbiton.example',
  n:
    'n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2w' +
    'qVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bT' +
    'wJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5' +
    'iaiQkqgc5gHdrNP5zw',
  signed:
    'eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXN' +
    'zLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXI' +
    'gZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa' +
    '80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfW' +
    'Ra-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLG' +
    'djluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg'
}

function taken(jwk: object): { key: VerificationKey | undefined; skipped: string[] } {
  const skipped: string[] = []
  const keys = readKeySet(JSON.stringify({ keys: [jwk] }), new Map(), (reason) => skipped.push(reason))
  return { key: keys?.values().next().value, skipped }
}

t.test('RFC 7638 §3.1: the key is taken, by its own name and by its thumbprint', async (t) => {
  const kid = await calculateJwkThumbprint(RFC7638)
  t.equal(kid, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  t.equal(taken(RFC7638).key?.kid, '2011-04-29')
  t.same(taken({ ...RFC7638, kid }).key?.jwk, { kty: 'RSA', n: RFC7638.n, e: 'AQAB', kid })
})

t.test('RFC 7515 §A.2: the signature is that of the key, and of no other text', async (t) => {
  const { key } = taken({ kty: 'RSA', n: RFC7515.n, e: 'AQAB', kid: 'a2' })
  t.equal(key?.verifies(RFC7515.signed), true)
  t.match(decodeUnverified(RFC7515.signed), { header: { alg: 'RS256' }, claims: { iss: 'joe', exp: 1300819380 } })
  const [header, , signature] = RFC7515.signed.split('.')
  const forged = Buffer.from('{"iss":"joe","exp":1300819381}').toString('base64url')
  t.equal(key?.verifies([header, forged, signature].join('.')), false)
  t.equal(taken(RFC7638).key?.verifies(RFC7515.signed), false)
})

t.test('RFC 7520 §3.3 and §4.1: the key is good but for its name, and a signed text is no token', async (t) => {
  const { kid, n, signed } = RFC7520
  const jwk = { kty: 'RSA', use: 'sig', n, e: 'AQAB' }
  t.match(taken({ ...jwk, kid }), { key: undefined, skipped: [/kid is not 1 to 128 base64url characters/] })
  const { key } = taken({ ...jwk, kid: 'bilbo' })
  t.equal(key?.verifies(signed), true, 'the members are as they were')
  t.throws(() => decodeUnverified(signed), { code: 'invalid_token' })
})
