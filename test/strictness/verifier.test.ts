import { Problem } from '@latchkey/problems/problem'
import { between } from '@latchkey/testing/between'
import { accessClaims } from '@latchkey/testing/tokens'
import type { Kind } from '@latchkey/tokens/claims'
import t from 'tap'
import { readKeySet } from '../../packages/verifier/src/jwk.ts'
import type { KeySource } from '../../packages/verifier/src/key-set.ts'
import { createVerifier } from '../../packages/verifier/src/verifier.ts'
import { deviations } from './deviations.ts'
import { makeForger } from './forger.ts'

const issuer = 'https://auth.example.com'
const audience = 'latchkey'
const leeway = 5
const now = 1_800_000_000
const forger = await makeForger()

t.test('the table has its 250 cases of each kind, each with a name of its own', async (t) => {
  for (const kind of ['access', 'refresh'] satisfies Kind[]) {
    const names = deviations(kind).map(({ name }) => name)
    const doubles = names.filter((name, i) => names.indexOf(name) !== i)
    t.same(doubles, [], `${kind}: none twice`)
    between(t, names.length, { least: 250 }, kind)
  }
})

t.test('the verifier judges every deviation, twice alike, and asks for a key only where one may help', async (t) => {
  const listed = readKeySet(JSON.stringify({ keys: [forger.keys.access.jwk] }), new Map(), t.fail)
  let asked = 0
  const keys: KeySource = {
    held: (kid) => listed?.get(kid),
    find: async (kid) => {
      asked += 1
      return listed?.get(kid)
    }
  }
  const good = forger.good('access', accessClaims(issuer, audience, now), { now, leeway })
  const found: Record<string, object> = {}
  const expected: Record<string, object> = {}
  for (const { name, make, outcome, asksForKey } of deviations('access')) {
    const verifier = createVerifier({ issuer, audience, leeway, keys, now: () => now * 1000 })
    const token = make(good)
    const judge = () =>
      verifier.verify(token).then(
        () => 'accepted',
        (error) => (error instanceof Problem ? error.code : error)
      )
    asked = 0
    const first = await judge()
    const asks = asked > 0
    found[name] = { first, asks, second: await judge() }
    expected[name] = { first: outcome, asks: asksForKey, second: outcome }
  }
  t.strictSame(found, expected)
})
