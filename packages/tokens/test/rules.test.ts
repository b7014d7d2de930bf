import { Problem } from '@latchkey/problems/problem'
import type { Kind } from '@latchkey/tokens/claims'
import { checkClaims, checkHeader, type Expectations } from '@latchkey/tokens/rules'
import t from 'tap'
import { accessClaims, refreshClaims } from '../../testing/src/tokens.ts'

const issuer = 'https://auth.example.com'
const audience = 'latchkey'
const now = 1_800_000_000

/** `accepted`, or the code of the refusal. */
function verdict(judge: () => unknown): unknown {
  try {
    judge()
    return 'accepted'
  } catch (error) {
    return error instanceof Problem ? error.code : error
  }
}

const judged = (claims: object, expected: Partial<Expectations> = {}) =>
  verdict(() =>
    checkClaims(
      'access',
      { ...accessClaims(issuer, audience, now), ...claims },
      { issuer, audience, leeway: 5, now, ...expected }
    )
  )

/** Seconds after `now`, the leeway, and what becomes of the token. */
type Edge = [at: number, leeway: number, verdict: string]

const EDGES: Record<string, Edge[]> = {
  exp: [
    [1, 0, 'accepted'],
    [0.001, 0, 'invalid_token'],
    [0, 0, 'token_expired'],
    [-1, 0, 'token_expired'],
    [-4, 5, 'accepted'],
    [-5, 5, 'token_expired'],
    [-6, 5, 'token_expired']
  ],
  iat: [
    [0, 0, 'accepted'],
    [1, 0, 'invalid_token'],
    [5, 5, 'accepted'],
    [6, 5, 'invalid_token']
  ],
  nbf: [
    [0, 0, 'accepted'],
    [1, 0, 'invalid_token'],
    [5, 5, 'accepted'],
    [6, 5, 'invalid_token']
  ]
}

for (const [claim, edges] of Object.entries(EDGES)) {
  t.test(`${claim} has its edge where the leeway ends`, async (t) => {
    for (const [at, leeway, expected] of edges) {
      t.equal(judged({ [claim]: now + at }, { leeway }), expected, `${claim} = now + ${at}, leeway ${leeway}`)
    }
  })
}

t.test('fractions of the present count', async (t) => {
  t.equal(judged({ exp: now }, { now: now + 4.999 }), 'accepted')
  t.equal(judged({ exp: now }, { now: now + 5 }), 'token_expired')
  t.equal(judged({ iat: now + 5 }, { now: now - 0.001 }), 'invalid_token')
})

t.test('a token is expired only when nothing else is wrong with it', async (t) => {
  t.equal(judged({ exp: now - 60 }), 'token_expired')
  for (const claims of [
    { iss: 'x' },
    { aud: 'x' },
    { nbf: now + 60 },
    { iat: now + 60 },
    { epoch: -1 },
    { sid: undefined }
  ]) {
    t.equal(judged({ exp: now - 60, ...claims }), 'invalid_token', JSON.stringify(claims))
  }
})

t.test('the audience is met when both name one in common', async (t) => {
  const meetings: [token: unknown, us: string | string[], verdict: string][] = [
    ['a', 'a', 'accepted'],
    [['a'], 'a', 'accepted'],
    [['b', 'a'], 'a', 'accepted'],
    ['a', ['b', 'a'], 'accepted'],
    [['c', 'b'], ['a', 'b'], 'accepted'],
    ['a', 'b', 'invalid_token'],
    ['a', 'A', 'invalid_token'],
    ['ab', 'a', 'invalid_token'],
    [['b', 'c'], ['a', 'd'], 'invalid_token'],
    [[], 'a', 'invalid_token'],
    ['a', [], 'invalid_token']
  ]
  for (const [aud, audience, expected] of meetings) {
    t.equal(judged({ aud }, { audience }), expected, `${JSON.stringify(aud)} for ${JSON.stringify(audience)}`)
  }
})

t.test('what comes back are the claims of the kind and no others, and nobody can change them', async (t) => {
  const claims = { ...accessClaims(issuer, audience, now), aud: [audience], admin: true, __proto: 1 }
  const known = checkClaims('access', claims, { issuer, audience, leeway: 5, now })
  t.same(known, { ...accessClaims(issuer, audience, now), ...known })
  t.strictSame(
    Object.keys(known).filter((name) => !(name in accessClaims(issuer, audience, now))),
    []
  )
  t.equal(Object.isFrozen(known), true)
  t.equal(Object.isFrozen(known.roles), true)
  t.equal(Object.isFrozen(known.aud), true)
})

t.test('claims that every object inherits are not claims of the token', async (t) => {
  const claims = Object.create(accessClaims(issuer, audience, now))
  t.equal(
    verdict(() => checkClaims('access', claims, { issuer, audience, leeway: 5, now })),
    'invalid_token'
  )
})

const HEADERS: Record<Kind, object> = {
  access: { alg: 'RS256', typ: 'at+jwt', kid: 'k' },
  refresh: { alg: 'RS256', typ: 'rt+jwt', kid: 'k' }
}
const CLAIMS: Record<Kind, object> = {
  access: accessClaims(issuer, audience, now),
  refresh: refreshClaims(issuer, now)
}
const AUDIENCES: Record<Kind, string> = { access: audience, refresh: issuer }

t.test('the kinds exclude each other, by their headers and by their claims', async (t) => {
  for (const kind of ['access', 'refresh'] satisfies Kind[]) {
    for (const shown of ['access', 'refresh'] satisfies Kind[]) {
      const expected = kind === shown ? 'accepted' : 'invalid_token'
      const header = () => checkHeader(kind, { ...HEADERS[shown] })
      const claims = () =>
        checkClaims(kind, { ...CLAIMS[shown] }, { issuer, audience: AUDIENCES[shown], leeway: 5, now })
      t.equal(verdict(header), expected, `header of ${shown} as ${kind}`)
      t.equal(verdict(claims), expected, `claims of ${shown} as ${kind}`)
    }
  }
})

t.test('a header comes back as alg, typ and kid alone', async (t) => {
  t.same(checkHeader('access', { kid: 'k', typ: 'AT+JWT', alg: 'RS256', x: 1 }), {
    alg: 'RS256',
    typ: 'AT+JWT',
    kid: 'k'
  })
})

t.test('a kid has 1 to 128 characters of base64url', async (t) => {
  const kids = {
    k: 'accepted',
    '-_': 'accepted',
    ['k'.repeat(128)]: 'accepted',
    ['k'.repeat(129)]: 'invalid_token',
    '': 'invalid_token',
    'a.b': 'invalid_token',
    'a\n': 'invalid_token'
  }
  for (const [kid, expected] of Object.entries(kids)) {
    t.equal(
      verdict(() => checkHeader('access', { ...HEADERS.access, kid })),
      expected,
      JSON.stringify(kid.slice(0, 9))
    )
  }
})
