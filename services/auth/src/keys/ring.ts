import { unavailable } from '@latchkey/problems/problem'
import type { KeyRing } from './folder.ts'
import type { SigningKey } from './key-file.ts'

/** A ring whose keys are exchanged while it is in use. */
interface LiveRing extends KeyRing {
  /**
   * Puts other keys in force; without `signing` nothing signs. Returns what is in force now, or nothing when that was so
   * before: then `accepted` stays the same object.
   */
  set(
    signing: SigningKey | undefined,
    accepted: readonly SigningKey[]
  ): { signing: string | null; accepted: string[] } | undefined
  /** Whether there is a key that signs. */
  signs(): boolean
}

const NONE: ReadonlyMap<string, SigningKey> = new Map()

/** Makes a ring that waits for its keys. */
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
