import type { FakeClock } from './fake-clock.ts'

export const URL = 'https://auth.example.com/.well-known/jwks.json'

/** An issuer without a network: what it answers is up to the test. */
export class FakeIssuer {
  /** When it was asked, in seconds of the clock, and with which If-None-Match. */
  readonly asked: { at: number; etag: string | null }[] = []
  readonly #clock: FakeClock
  #answer: () => Response | Promise<Response> = () => new Response(null, { status: 503 })
  #held: Promise<void> | undefined

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  readonly fetch: typeof globalThis.fetch = async (_url, init) => {
    this.asked.push({ at: this.#clock.elapsed() / 1000, etag: new Headers(init?.headers).get('if-none-match') })
    const answer = this.#answer
    await Promise.race([this.#held, aborted(init?.signal)])
    return Promise.race([answer(), aborted(init?.signal)])
  }

  answers(answer: () => Response | Promise<Response>): void {
    this.#answer = answer
  }

  publishes(keys: readonly object[], headers: Record<string, string> = {}): void {
    this.answers(() => Response.json({ keys }, { headers }))
  }

  fails(): void {
    this.answers(() => {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
    })
  }

  /** Takes requests and never answers. */
  stalls(): void {
    this.answers(() => new Promise(() => {}))
  }

  /** Keeps answers back until the returned function is called. */
  hold(): () => void {
    let release = () => {}
    this.#held = new Promise((resolve) => {
      release = resolve
    })
    return () => {
      this.#held = undefined
      release()
    }
  }
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
}
