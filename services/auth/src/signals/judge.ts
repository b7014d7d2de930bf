/** What becomes of a SET that was pushed. */
export type Verdict =
  | { readonly verdict: 'accepted' }
  /** This SET will never be taken. */
  | { readonly verdict: 'refused'; readonly code: string }
  /** It is tried again, at the earliest after `wait` seconds. */
  | { readonly verdict: 'later'; readonly reason: string; readonly wait?: number }

/** The part of an answer that decides. */
export interface PushAnswer {
  readonly status: number
  /** Its body, if the status is 400; nothing if it was too large. */
  readonly body?: string | undefined
  /** The header Retry-After. */
  readonly retryAfter?: string | null
}

// These are about the sender, not about the SET: it would be lost, and so would all after it (RFC 8935 §2.4).
const ABOUT_US = ['authentication_failed', 'access_denied']

/** Most that Retry-After is believed, in seconds. */
const LONGEST_WAIT = 300

/**
 * Judges the answer to a push (RFC 8935 §2.2 to §2.4): 202 accepts. 400 with an `err` refuses the SET, unless it is about
 * the sender. Everything else may pass, a redirect too, which is not followed.
 */
export function judgeAnswer({ status, body, retryAfter }: PushAnswer): Verdict {
  if (status === 202) return { verdict: 'accepted' }
  const code = status === 400 ? errOf(body) : undefined
  if (code !== undefined && !ABOUT_US.includes(code)) return { verdict: 'refused', code }
  const wait = /^\d{1,9}$/.test(retryAfter ?? '') ? Math.min(Number(retryAfter), LONGEST_WAIT) : undefined
  const reason = code === undefined ? `status ${status}` : `status ${status}, ${code}`
  return { verdict: 'later', reason, ...(wait !== undefined && { wait }) }
}

/** The code of a refusal as a receiver says it, if it may be shown: a word (RFC 8935 §2.4, RFC 8936 §2.4.4). */
export function wordOf(err: unknown): string | undefined {
  return typeof err === 'string' && /^[\w-]{1,64}$/.test(err) ? err : undefined
}

function errOf(body: string | undefined): string | undefined {
  try {
    return wordOf(JSON.parse(body ?? '')?.err)
  } catch {
    return undefined
  }
}

/** In seconds. */
const FIRST_WAIT = 1
const MOST_WAIT = 300

/**
 * How many seconds to wait after so many failures, from 1: 1 s, doubled each time, at most 5 minutes, up to half more or
 * less. `random` is from 0 to 1.
 */
export function waitAfter(failures: number, random: number): number {
  return Math.min(FIRST_WAIT * 2 ** Math.min(failures - 1, 20), MOST_WAIT) * (0.5 + random)
}
