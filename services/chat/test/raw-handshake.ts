import type { RawAnswer } from '@latchkey/testing/raw-http'

/** The header lines of a good handshake without a credential. */
export const HEADERS = {
  connection: 'Connection: Upgrade',
  upgrade: 'Upgrade: websocket',
  version: 'Sec-WebSocket-Version: 13',
  key: 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='
}

/** A handshake that differs from a good one: header lines by their names, with null those that are missing. */
export type Lines = Readonly<Record<string, string | readonly string[] | null>>

/** The header lines of a handshake. */
export function linesOf(lines: Lines): string[] {
  return Object.values({ ...HEADERS, ...lines }).flatMap((line) => line ?? [])
}

/** The header line with a token. */
export const bearer = (token: string) => ({ authorization: `Authorization: Bearer ${token}` })

/** A raw answer, as those of other requests are looked at. */
export function answerOf({ status, headers, body }: RawAnswer) {
  const single = Object.fromEntries([...headers].map(([name, values]) => [name, values.join(', ')]))
  return { status, headers: single, body: body === '' ? {} : JSON.parse(body) }
}
