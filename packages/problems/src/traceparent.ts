/** The trace that a request belongs to. */
export interface Traceparent {
  /** The id of the trace: 32 lower-case hex digits. */
  readonly traceId: string
  /** The whole header, to be handed on as it came. */
  readonly text: string
}

// Version 00 has nothing behind the flags. What others have there begins with a dash; the comma of two headers is no part of it.
const FORM = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-+.-~-]*)?$/

/** Most characters of the header; version 00 has 55. */
const LONGEST = 256

/**
 * Reads the header `traceparent` (W3C Trace Context §3.2.2). Returns nothing for one that is missing, malformed or there
 * twice. Anybody can send any trace, so it may decide nothing.
 */
export function readTraceparent(sent: string | readonly string[] | undefined): Traceparent | undefined {
  if (typeof sent !== 'string' || sent.length > LONGEST) return undefined
  const [text, version, traceId, more] = FORM.exec(sent) ?? []
  if (text === undefined || traceId === undefined || (version === '00' && more !== undefined)) return undefined
  return { traceId, text }
}
