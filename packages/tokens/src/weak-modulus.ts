/** The odd primes up to 701. A ROCA key of 2,048 bits or more shows its form at each of these. */
const SMALL_PRIMES = primesUpTo(701)

/** Number of steps of Fermat's method. Good primes need far more; those of CVE-2022-26320 need a few. */
const FERMAT_STEPS = 100

const SQUARES = new Set(Array.from({ length: 5040 }, (_, i) => (i * i) % 5040))

/**
 * Says why the modulus of an RSA key of 2,048 bits or more is easy to factor, or nothing if no such fault is known.
 *
 * Arithmetic alone recognises three families: a factor up to 701; ROCA (CVE-2017-15361: each prime is a power of 65537
 * modulo many small primes, and so is the modulus); two primes so close that Fermat's method finds them
 * (CVE-2022-26320). The chance that an ordinary key looks like ROCA is 1 in 2^169. Takes less than a millisecond for
 * 2,048 bits.
 */
export function weaknessOf(modulus: bigint): string | undefined {
  const residues = SMALL_PRIMES.map((prime) => [Number(modulus % BigInt(prime)), prime] as const)
  if (residues.some(([residue]) => residue === 0)) return 'its modulus has a small prime factor'
  if (residues.every(([residue, prime]) => isPowerOf65537(residue, prime))) {
    return 'it is of the ROCA family (CVE-2017-15361), whose private halves can be computed'
  }
  return hasClosePrimes(modulus) ? 'its two primes are too close to each other (CVE-2022-26320)' : undefined
}

function primesUpTo(last: number): number[] {
  const primes: number[] = []
  for (let n = 3; n <= last; n += 2) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes
}

function isPowerOf65537(residue: number, prime: number): boolean {
  let power = 1
  do {
    if (power === residue) return true
    power = (power * 65537) % prime
  } while (power !== 1)
  return false
}

// Fermat: n = a² - b² = (a + b)(a - b). If the factors are close, a is just above the root of n.
function hasClosePrimes(n: bigint): boolean {
  let a = rootOf(n)
  if (a * a === n) return true
  for (let step = 0; step < FERMAT_STEPS; step += 1) {
    a += 1n
    if (isSquare(a * a - n)) return true
  }
  return false
}

function isSquare(n: bigint): boolean {
  // Excludes 24 of 25 numbers without a root.
  if (!SQUARES.has(Number(n % 5040n))) return false
  const root = rootOf(n)
  return root * root === n
}

// Newton's method, from above: the largest whole number whose square is not more than n.
function rootOf(n: bigint): bigint {
  let root = 1n << BigInt(n.toString(16).length * 2 + 1)
  for (;;) {
    const next = (root + n / root) >> 1n
    if (next >= root) return root
    root = next
  }
}
