import { Problem } from '@latchkey/problems/problem'
import { type RevocationEntry, revocationKey } from '@latchkey/tokens/revocations'
import type { Clock } from './clock.ts'
import type { FeedListener } from './feed/status.ts'
import type { VerifiedToken } from './verifier-options.ts'

/**
 * Why a watched token would be refused now.
 *
 * - `revoked`: with `invalid_token`.
 * - `expired`: with `token_expired`.
 * - `unavailable`: with `unavailable`, or because `trusted` threw an error.
 */
export type EndOfToken = 'revoked' | 'expired' | 'unavailable'

/** What watching needs of a verifier. */
interface Judge<V> {
  /** Finds or makes the verdict of a token; throws a `Problem` if it is refused. */
  find(token: string | VerifiedToken): Promise<V>
  /** Throws if a token is refused now; without `isNamed` the entries of the feed are not asked. */
  check(verdict: V, isNamed: boolean): void
  readonly clock: Clock
}

interface Watched<V> {
  readonly verdict: V
  readonly end: (reason: EndOfToken) => void
}

/** How often all are checked for what nobody tells: expiry, withdrawn keys, `trusted`. In milliseconds. */
const EVERY = 1000

/**
 * The tokens that are watched. An entry of the feed is looked up in an index of their users and sessions. One timer looks at
 * all of them each second, without their entries.
 */
export class Watches<V extends { readonly token: VerifiedToken }> implements FeedListener {
  readonly #judge: Judge<V>
  readonly #all = new Set<Watched<V>>()
  /** By the hash of user and of session, as the feed names them. */
  readonly #named = new Map<string, Set<Watched<V>>>()
  #stop: (() => void) | undefined

  constructor(judge: Judge<V>) {
    this.#judge = judge
  }

  /** Watches a token; see `Verifier.watch`. */
  add(token: string | VerifiedToken, ended: (reason: EndOfToken) => void): () => void {
    let forget: (() => void) | undefined
    let isOver = false
    const stop = () => {
      isOver = true
      forget?.()
    }
    const end = (reason: EndOfToken) => {
      if (isOver) return
      stop()
      call(ended, reason)
    }
    const begin = async () => {
      const verdict = await this.#judge.find(token)
      if (isOver) return
      this.#judge.check(verdict, true)
      forget = this.#keep({ verdict, end })
    }
    begin().catch((error) => end(reasonOf(error)))
    return stop
  }

  told(entries: readonly RevocationEntry[]): void {
    // They are known already, so those that may be named are judged by what is known.
    const isForAll = entries.some(([kind]) => kind === 'all' || kind === 'key')
    const found = isForAll ? this.#all : entries.flatMap(([, key]) => [...(this.#named.get(String(key)) ?? [])])
    this.#check([...found], true)
  }

  replaced(): void {
    this.#check([...this.#all], true)
  }

  changed(): void {
    this.#check([...this.#all], false)
  }

  #keep(watched: Watched<V>): () => void {
    const { sub, sid } = watched.verdict.token.claims
    const names = [revocationKey(sub), revocationKey(sid)]
    this.#all.add(watched)
    for (const name of names) this.#named.set(name, (this.#named.get(name) ?? new Set()).add(watched))
    this.#stop ??= this.#later()
    return () => {
      this.#all.delete(watched)
      for (const name of names) {
        this.#named.get(name)?.delete(watched)
        if (this.#named.get(name)?.size === 0) this.#named.delete(name)
      }
      if (this.#all.size > 0) return
      this.#stop?.()
      this.#stop = undefined
    }
  }

  #later(): () => void {
    return this.#judge.clock.after(EVERY, () => {
      this.changed()
      this.#stop = this.#all.size > 0 ? this.#later() : undefined
    })
  }

  #check(watched: readonly Watched<V>[], isNamed: boolean): void {
    for (const { verdict, end } of watched) {
      try {
        this.#judge.check(verdict, isNamed)
      } catch (error) {
        end(reasonOf(error))
      }
    }
  }
}

function reasonOf(error: unknown): EndOfToken {
  const code = error instanceof Problem ? error.code : undefined
  if (code === 'invalid_token') return 'revoked'
  return code === 'token_expired' ? 'expired' : 'unavailable'
}

// Neither an error nor a rejected promise of one may end the others, or the process.
function call(ended: (reason: EndOfToken) => unknown, reason: EndOfToken): void {
  const calling = async () => ended(reason)
  calling().catch((error) => process.emitWarning(error instanceof Error ? error : String(error)))
}
