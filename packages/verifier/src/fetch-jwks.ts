import type { Traceparent } from '@latchkey/problems/traceparent'
import { type FetchLimits, readLimited, withinTime } from './fetch-limits.ts'

/** Largest accepted key set, in bytes; ten RSA keys have about 5 kB. */
const SIZE_LIMIT = 256 * 1024

/**
 * A good answer of the issuer. `text` is missing if the set is unchanged since `etag`, `maxAge` if the issuer gave
 * none.
 */
export interface JwksAnswer {
  readonly text?: string
  readonly etag?: string
  /** How many seconds the answer may be kept (RFC 9111 §4.2). */
  readonly maxAge?: number
}

/** How to fetch. */
export interface FetchSettings extends FetchLimits {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
}

/**
 * Fetches a JWK set once, within the limits of time and size, without redirects, and only if it changed.
 *
 * `trace` is that of the request that needs the set; it is handed on.
 *
 * Throws for every answer except 200 and, to our `etag`, 304. It does not check that the text is a key set.
 */
export function fetchJwks(
  settings: FetchSettings,
  etag: string | undefined,
  trace?: Traceparent | undefined
): Promise<JwksAnswer> {
  return withinTime(settings, (signal) => ask(settings, { etag, trace }, signal))
}

async function ask(
  { url, fetch }: FetchSettings,
  { etag, trace }: { etag: string | undefined; trace: Traceparent | undefined },
  signal: AbortSignal
): Promise<JwksAnswer> {
  const answer = await fetch(url, {
    headers: {
      accept: 'application/jwk-set+json, application/json',
      ...(etag && { 'if-none-match': etag }),
      ...(trace && !isTraced() && { traceparent: trace.text })
    },
    redirect: 'manual',
    signal
  })
  const unchanged = answer.status === 304 && etag !== undefined
  if (answer.status !== 200 && !unchanged) {
    await answer.body?.cancel()
    throw new Error(`the issuer answered ${answer.status}`)
  }
  const newTag = answer.headers.get('etag') ?? (unchanged ? etag : undefined)
  const maxAge = freshFor(answer.headers)
  return {
    ...(!unchanged && { text: await readLimited(answer, SIZE_LIMIT) }),
    ...(newTag !== undefined && { etag: newTag }),
    ...(maxAge !== undefined && { maxAge })
  }
}

// OpenTelemetry adds a header of its own, and two are none.
function isTraced(): boolean {
  const opentelemetry = (globalThis as Record<symbol, { propagation?: unknown } | undefined>)[OPENTELEMETRY]
  return opentelemetry?.propagation !== undefined
}

/** Where @opentelemetry/api keeps what is registered. */
const OPENTELEMETRY = Symbol.for('opentelemetry.js.api.1')

function freshFor(headers: Headers): number | undefined {
  const control = headers.get('cache-control') ?? ''
  if (/\bno-(store|cache)\b/i.test(control)) return 0
  const [, maxAge] = /\bmax-age\s*=\s*"?(\d{1,10})/i.exec(control) ?? []
  if (maxAge === undefined) return undefined
  return Math.max(0, Number(maxAge) - (Number(headers.get('age')) || 0))
}
