import type { Clock } from './clock.ts'

/** The limits of a request; `timeout` is for the whole answer, in seconds, and `closing` aborts it. */
export interface FetchLimits {
  readonly timeout: number
  readonly closing: AbortSignal
  readonly clock: Clock
}

/** Makes a request with a signal that ends it at the time limit, or when its owner closes. */
export async function withinTime<T>(limits: FetchLimits, request: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { timeout, closing, clock } = limits
  const ending = new AbortController()
  const close = () => ending.abort(closing.reason)
  const late = () => ending.abort(new DOMException(`no whole answer within ${timeout} s`, 'TimeoutError'))
  // It keeps the process alive no longer than the request does.
  const inTime = clock.after(timeout * 1000, late, true)
  closing.addEventListener('abort', close)
  try {
    closing.throwIfAborted()
    return await request(ending.signal)
  } finally {
    // A signal that fires after the answer would make Node's client open a connection and leave it open.
    inTime()
    closing.removeEventListener('abort', close)
  }
}

/** Reads the text of an answer, in UTF-8. Throws if it has more than `limit` bytes. */
export async function readLimited(answer: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength
    if (size > limit) throw new Error(`the answer is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}
