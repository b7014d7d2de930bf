import { reasonOf } from '@latchkey/problems/reason'
import { judgeAnswer, type Verdict } from './judge.ts'
import { SET_TYPE } from './set.ts'

/** Where SETs are pushed to. */
export interface Receiver {
  readonly endpoint: string
  /** The value of the header Authorization. */
  readonly authorization_value: string | null
}

/** Longest time of a push, with its answer, in milliseconds. */
export const LONGEST_PUSH = 10_000

/** How long a push may go on when the service stops, in milliseconds. */
const AT_THE_STOP = 2000

/** Most that is read of an answer, in bytes. */
const MOST_READ = 16 * 1024

/**
 * Pushes one SET (RFC 8935 §2): one request, within 10 s, without redirects. Of the answer at most 16 kB are read, and
 * these only of a refusal. Never rejects.
 */
export async function push(receiver: Receiver, jws: string, stopping: AbortSignal): Promise<Verdict> {
  const ending = new AbortController()
  const late = setTimeout(() => ending.abort(new Error('no answer in time')), LONGEST_PUSH)
  const stop = () => void setTimeout(() => ending.abort(new Error('the service stops')), AT_THE_STOP).unref()
  stopping.addEventListener('abort', stop)
  try {
    return await ask(receiver, jws, ending.signal)
  } catch (error) {
    return { verdict: 'later', reason: causeOf(error) }
  } finally {
    clearTimeout(late)
    stopping.removeEventListener('abort', stop)
  }
}

async function ask({ endpoint, authorization_value }: Receiver, jws: string, signal: AbortSignal): Promise<Verdict> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': `application/${SET_TYPE}`,
      accept: 'application/json',
      'user-agent': 'latchkey',
      ...(authorization_value !== null && { authorization: authorization_value })
    },
    body: jws,
    redirect: 'manual',
    signal
  })
  const { status, headers } = answer
  const body = status === 400 ? await readLimited(answer) : undefined
  await answer.body?.cancel().catch(() => {})
  return judgeAnswer({ status, body, retryAfter: headers.get('retry-after') })
}

async function readLimited({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > MOST_READ) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

// The client says only that it failed; the cause has the code. No text of the receiver is in it.
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : reasonOf(cause ?? error)
}
