import { type FetchLimits, readLimited, withinTime } from '../fetch-limits.ts'
import { LARGEST_ANSWER } from './answer.ts'

/** Where and how to ask. */
export interface FeedEndpoint extends Omit<FetchLimits, 'timeout'> {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  /** The headers of every question. */
  readonly headers: Readonly<Record<string, string>>
}

/** A question; `wait` and `timeout` are in seconds. */
export interface Asked {
  readonly after: string | null
  readonly wait: number
  readonly nonce: string
  readonly timeout: number
}

/** What came: its text, unchecked, and how many seconds to wait before the next question, 0 if it does not say. */
export interface Told {
  readonly text: string
  readonly retryAfter: number
}

/** An answer with another status than 200; `retryAfter` is in seconds. */
export class FeedRefusal extends Error {
  override readonly name = 'FeedRefusal'
  readonly retryAfter: number

  constructor(answer: Response) {
    super(`the feed answered ${answer.status}`)
    this.retryAfter = secondsOf(answer)
  }
}

function secondsOf({ headers }: Response): number {
  const seconds = headers.get('retry-after') ?? ''
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) : 0
}

/** Asks the feed once, within the limits of time and size, without redirects. */
export function askFeed(endpoint: FeedEndpoint, { after, wait, nonce, timeout }: Asked): Promise<Told> {
  const url = new URL(endpoint.url)
  if (after !== null) url.searchParams.set('after', after)
  url.searchParams.set('wait', String(wait))
  url.searchParams.set('nonce', nonce)
  return withinTime({ ...endpoint, timeout }, async (signal) => {
    const answer = await endpoint.fetch(url, { headers: endpoint.headers, redirect: 'manual', signal })
    if (answer.status !== 200) {
      await answer.body?.cancel()
      throw new FeedRefusal(answer)
    }
    return { text: await readLimited(answer, LARGEST_ANSWER), retryAfter: secondsOf(answer) }
  })
}
