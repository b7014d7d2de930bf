import type { Clock } from '../src/clock.ts'

/** A clock that stands until a test moves it. */
export class FakeClock implements Clock {
  /** What `random` gives: 0 is the least jitter, almost 1 the most. */
  jitter = 0
  /** By how much the wall clock was set wrong, in milliseconds. */
  wrong = 0
  #at = 0
  readonly #timers = new Set<{ at: number; call: () => void; holding: boolean }>()

  now(): number {
    return Date.UTC(2030, 0) + this.#at + this.wrong
  }

  elapsed(): number {
    return this.#at
  }

  random(): number {
    return this.jitter
  }

  after(milliseconds: number, call: () => void, holding = false): () => void {
    const timer = { at: this.#at + milliseconds, call, holding }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** How many seconds from now the timers end. */
  get timers(): number[] {
    return [...this.#timers].map(({ at }) => (at - this.#at) / 1000)
  }

  /** Whether a timer would keep the process alive. */
  get holding(): boolean {
    return [...this.#timers].some(({ holding }) => holding)
  }

  /** Lets so many seconds pass, with all that falls due and all that follows from it. */
  async pass(seconds: number): Promise<void> {
    const end = this.#at + seconds * 1000
    await settle()
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.#timers.delete(next)
      this.#at = next.at
      next.call()
      await settle()
    }
    this.#at = end
  }

  #due(end: number): { at: number; call: () => void; holding: boolean } | undefined {
    const [first] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
    return first
  }
}

/** Lets everything happen that waits for no time and no network. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
