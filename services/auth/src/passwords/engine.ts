import { createRequire } from 'node:module'
import { costOf } from './foreign-hash.ts'

/** bcrypt ignores what comes after, so two longer passwords could open the same account. */
export const MAX_BYTES = 72

/** bcrypt, on the calling thread. Both kinds make the same hashes, and each compares with those of the other. */
export interface Bcrypt {
  /** `native`: the package bcrypt. `bcryptjs`: the same in JavaScript, 1.3 times as slow. */
  readonly engine: 'native' | 'bcryptjs'
  /** Makes a hash of this cost: 4 to 31. */
  hash(password: string, cost: number): string
  /** Tells whether a password is that of a hash that {@link isHash} knows. */
  compare(password: string, hash: string): boolean
}

/** What both packages have, by these names. */
interface Package {
  hashSync(password: string | Buffer, cost: number): string
  compareSync(password: string | Buffer, hash: string): boolean
}

/** The kinds $2a$, $2b$ and $2y$ are one, for passwords of at most 72 bytes. */
const FORM = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/

const LEAST_COST = 4
const HIGHEST_COST = 31

/** What every engine has to answer: a hash that others made, of a password beyond ASCII. */
const KNOWN = { password: 'pässword 😀', hash: '$2b$04$abcdefghijklmnopqrstuuZZo1Np2Nv.BgAU3wQPOawnjeLYHgNcO' }

/** Loads a package where it is needed: of the two, a process needs one. */
const load = createRequire(import.meta.url)

/** Tells whether a stored text is a hash that bcrypt can compare with. */
export function isHash(stored: string): boolean {
  return FORM.test(stored) && costOf(stored) >= LEAST_COST && costOf(stored) <= HIGHEST_COST
}

/** bcrypt in JavaScript, which every platform has. */
export function openScript(): Bcrypt {
  const { hashSync, compareSync }: Package = load('bcryptjs')
  return { engine: 'bcryptjs', hash: hashSync, compare: compareSync }
}

/**
 * bcrypt as native code. Throws if it is not installed, if it does not run on this platform, or if it does not know a
 * hash that others made. `find` returns the package.
 */
export function openNative(find: () => Package = () => load('bcrypt')): Bcrypt {
  const { hashSync, compareSync } = find()
  const native: Bcrypt = {
    engine: 'native',
    hash: (password, cost) => hashSync(used(password), cost),
    // It knows no $2y$, which is $2b$ by another name.
    compare: (password, hash) => compareSync(used(password), hash.replace(/^\$2y/, '$2b'))
  }
  const { password, hash } = KNOWN
  if (!native.compare(password, hash) || native.compare(`${password}!`, hash)) throw new Error('it compares wrongly')
  return native
}

/** Opens native bcrypt, or else the script. Never throws; `failed` gets the reason why the native one is not used. */
export function openBcrypt(failed: (reason: unknown) => void = () => {}, native = openNative): Bcrypt {
  try {
    return native()
  } catch (error) {
    failed(error)
    return openScript()
  }
}

/** The bytes of a password that bcrypt uses. Native code counts the length of a $2a$ password in one byte. */
function used(password: string): Buffer {
  return Buffer.from(password).subarray(0, MAX_BYTES)
}
