import { unavailable } from '@latchkey/problems/problem'
import type { KeyRing } from './folder.ts'
import type { SigningKey } from './key-file.ts'

/** A ring whose keys can be replaced while it is used. */
interface LiveRing extends KeyRing {
  /**
   * Replaces the keys; without `signing` nothing signs. Returns the new state, or nothing if it did not change: then
   * `accepted` stays the same object.
   */
  set(
    signing: SigningKey | undefined,
    accepted: readonly SigningKey[]
  ): { signing: string | null; accepted: string[] } | undefined
  /** Whether there is a key that signs. */
  signs(): boolean
}

const NONE: ReadonlyMap<string, SigningKey> = new Map()

/** Makes a ring without keys. */
export function createRing(): LiveRing {
  let current: SigningKey | undefined
  let accepted: ReadonlyMap<string, SigningKey> | undefined
  return {
    get current() {
      if (!current) throw unavailable('no key may sign')
      return current
    },
    get accepted() {
      return accepted ?? NONE
    },
    get pending() {
      return accepted === undefined
    },
    signs: () => current !== undefined,
    set: (signing, keys) => {
      const kids = keys.map(({ kid }) => kid)
      if (accepted && signing?.kid === current?.kid && kids.join() === [...accepted.keys()].join()) return undefined
      current = signing
      accepted = new Map(keys.map((key) => [key.kid, key]))
      return { signing: signing?.kid ?? null, accepted: kids }
    }
  }
}
