import { generatePrimeSync } from 'node:crypto'
import { weaknessOf } from '@latchkey/tokens/weak-modulus'
import t from 'tap'
import { makeKey } from '../../testing/src/tokens.ts'
import { CLOSE_PRIMES_MODULUS, ROCA_MODULUS, ROCA_MODULUS_4096 } from '../../testing/src/weak-keys.ts'

const modulusOf = (n: string) => BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
const prime = (bits: number) => generatePrimeSync(bits, { bigint: true })

t.test('published keys of the known families are told, each with its name', async (t) => {
  t.match(weaknessOf(modulusOf(ROCA_MODULUS)), /CVE-2017-15361/)
  t.match(weaknessOf(modulusOf(ROCA_MODULUS_4096)), /CVE-2017-15361/)
  t.match(weaknessOf(modulusOf(CLOSE_PRIMES_MODULUS)), /CVE-2022-26320/)
})

t.test('a small prime factor, and a prime twice, are told', async (t) => {
  for (const small of [3n, 5n, 691n, 701n]) t.match(weaknessOf(small * prime(2048)), /small prime factor/, `${small}`)
  const p = prime(1024)
  t.match(weaknessOf(p * p), /too close/)
})

t.test('ordinary keys are none of these, of whatever size', async (t) => {
  const keys = await Promise.all([2048, 2048, 2048, 2049, 3072, 4096].map((bits) => makeKey(bits)))
  for (const { jwk } of keys) t.equal(weaknessOf(modulusOf(jwk.n)), undefined, jwk.n)
  t.equal(weaknessOf(prime(1024) * prime(1024)), undefined)
})

t.test('a key that has the form of ROCA at all small primes but one is an ordinary key', async (t) => {
  const primes = [...Array(702).keys()].filter(
    (n) => n > 2 && [2, 3, 5, 7, 11, 13, 17, 19, 23].every((p) => n === p || n % p)
  )
  const product = primes.reduce((all, p) => all * BigInt(p), 2n)
  const roca = modulusOf(ROCA_MODULUS)
  // 65537 reaches two residues at 11 (1 and 10), and six at 673.
  for (const [p, residue] of [
    [11n, 2n],
    [673n, 5n]
  ] as const) {
    let other = roca
    while (other % p !== residue) other += product / p
    t.equal(weaknessOf(other), undefined, `at ${p}`)
    while (other % p !== 1n) other += product / p
    t.match(weaknessOf(other), /ROCA/, `at ${p}, with a residue of the form`)
  }
})
