import { randomBytes } from 'node:crypto'
import { type RevocationEntry, type Revocations, revocationKey } from '@latchkey/tokens/revocations'
import { compact, type Members, rs256, type TestKey } from '../../testing/src/tokens.ts'
import type { FeedClock } from '../src/feed/steady-clock.ts'
import { FakeClock } from './fake-clock.ts'

export const FEED_URL = 'https://auth.example.com/revocations'
export const ISSUER = 'https://auth.example.com'
export const AUDIENCE = 'latchkey'

/** A clock of a machine that can sleep. */
export class FakeFeedClock extends FakeClock implements FeedClock {
  #asleep = 0

  uptime(): number {
    return 5_000_000 + this.elapsed() + this.#asleep
  }

  /** The machine sleeps: the monotonic clock and its timers stand, uptime and wall clock go on. */
  sleep(seconds: number): void {
    this.#asleep += seconds * 1000
    this.wrong += seconds * 1000
  }
}

/** What long polls of a played feed wait for. */
export class News {
  readonly #clock: FakeFeedClock
  readonly #waiting = new Set<() => void>()

  constructor(clock: FakeFeedClock) {
    this.#clock = clock
  }

  /** Resolves when something is told, or after so many seconds of the clock. */
  wait(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        cancel()
        resolve()
      }
      const cancel = this.#clock.after(seconds * 1000, wake)
      this.#waiting.add(wake)
    })
  }

  /** Wakes all that wait. */
  tell(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

/** A question, as it arrived. */
export interface FeedQuestion {
  /** When, in seconds of the clock. */
  readonly at: number
  readonly after: string | null
  readonly wait: number
  readonly nonce: string
  readonly headers: Headers
}

type Answering = (question: FeedQuestion) => Response | Promise<Response>

/** The feed of an issuer without a network: it tells what was ended, or does what a test wants. */
export class FakeFeed {
  /** Signs; undefined answers 503. */
  key: TestKey | undefined
  readonly asked: FeedQuestion[] = []
  /** Entries on a page. */
  page = 10_000
  /** Changes the claims or the header of each answer. */
  change: { claims?: (claims: Revocations) => Members; header?: Members } = {}
  /** How the answer travels. */
  travel: Answering | undefined
  /** The rows, each with its place. The first is only a place. */
  rows: { place: string; entry: RevocationEntry | undefined }[] = [{ place: placeOf(0), entry: undefined }]
  readonly #clock: FakeFeedClock
  readonly #news: News

  constructor(clock: FakeFeedClock, key: TestKey) {
    this.#clock = clock
    this.#news = new News(clock)
    this.key = key
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const { searchParams: query } = new URL(String(input))
    const question = {
      at: this.#clock.elapsed() / 1000,
      after: query.get('after'),
      wait: Number(query.get('wait')),
      nonce: String(query.get('nonce')),
      headers: new Headers(init?.headers)
    }
    this.asked.push(question)
    return Promise.race([this.travel?.(question) ?? this.answer(question), aborted(init?.signal)])
  }

  /** Ends something: it is told at once. */
  tells(...entries: RevocationEntry[]): void {
    for (const entry of entries) this.rows.push({ place: placeOf(this.rows.length), entry })
    this.#news.tell()
  }

  /** Answers as a good issuer does: at once if there is news, otherwise when the wait is over. */
  async answer(question: FeedQuestion): Promise<Response> {
    const known = this.#place(question.after)
    if (known >= 0 && known === this.rows.length - 1) await this.#news.wait(question.wait)
    return new Response(this.text(question), { headers: { 'content-type': 'application/jwt' } })
  }

  /** The text of the answer, as of now. */
  text({ after, nonce }: Pick<FeedQuestion, 'after' | 'nonce'>, key = this.key): string {
    if (!key) throw new Error('no key')
    const known = this.#place(after)
    const from = known + 1
    const told = this.rows.slice(from, from + this.page)
    const more = from + told.length < this.rows.length
    const claims: Revocations = {
      iss: ISSUER,
      iat: Math.floor(this.#clock.now() / 1000),
      nonces: [randomBytes(16).toString('base64url'), nonce],
      after: known < 0 ? null : after,
      to: (told.at(-1) ?? this.rows.at(-1) ?? { place: '' }).place,
      more,
      complete_at: more ? null : this.#clock.elapsed() / 1000 + ISSUER_ORIGIN,
      entries: told.flatMap(({ entry }) => (entry ? [entry] : []))
    }
    const header = { alg: 'RS256', typ: 'revocations+jwt', kid: key.kid, ...this.change.header }
    return compact(header, this.change.claims?.(claims) ?? (claims as unknown as Members), rs256(key))
  }

  #place(after: string | null): number {
    return after === null ? -1 : this.rows.findIndex(({ place }) => place === after)
  }
}

/** The issuer's clock when the played clock began, in seconds since 1970: a receiver's may be wrong. */
export const ISSUER_ORIGIN = Date.UTC(2030, 0) / 1000

/** The place of a row; `branch` makes that of another history. */
export function placeOf(seq: number, branch = 'a'): string {
  return `${seq}.${branch}${seq.toString(16).padStart(15, '0')}`
}

export const session = (sid: string, seconds = 960): RevocationEntry => ['session', revocationKey(sid), null, seconds]
export const subject = (sub: string, epoch: number, seconds = 960): RevocationEntry => [
  'subject',
  revocationKey(sub),
  epoch,
  seconds
]
export const revokedKey = (kid: string): RevocationEntry => ['key', kid, null, null]
export const everybody = (time: number, seconds = 960): RevocationEntry => ['all', null, time, seconds]

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
}
