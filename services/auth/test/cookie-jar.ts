import type { Answer } from '@latchkey/testing/problem'
import { parseSetCookie, type SetCookie } from 'cookie'
import type { Auth, Sending } from './app.ts'

export const ACCESS = '__Host-token'
export const REFRESH = '__Host-refresh_token'

/** The cookies that an answer sets. */
export function setCookies({ headers }: Answer): SetCookie[] {
  return [headers['set-cookie'] ?? []].flat().map((line) => parseSetCookie(line, { decode: (text) => text }))
}

/** A browser as the service sees it: it keeps cookies and sends them. Where a test names no site, the page is our own. */
export interface Browser {
  /** The value of each cookie, by name. */
  readonly jar: Map<string, string>
  /** Sends all cookies, and takes those of the answer. */
  send(line: string, sending?: Sending): Promise<Answer>
  /** Sends all cookies, and leaves the answer alone: as a request whose answer is still on its way. */
  peek(line: string, sending?: Sending): Promise<Answer>
  take(answer: Answer): void
}

/** A browser without cookies, or with those of another one. */
export function browser({ send }: Pick<Auth, 'send'>, jar: Iterable<[string, string]> = []): Browser {
  const own = new Map(jar)
  const take = (answer: Answer) => {
    for (const { name, value = '', maxAge } of setCookies(answer)) {
      if (maxAge === 0) own.delete(name)
      else own.set(name, value)
    }
  }
  const peek: Browser['peek'] = (line, { headers, ...sending } = {}) => {
    const cookie = [...own].map((pair) => pair.join('=')).join('; ')
    const site = { 'sec-fetch-site': 'same-origin' }
    return send(line, { ...sending, headers: { ...site, ...(cookie && { cookie }), ...headers } })
  }
  const sendAll: Browser['send'] = async (line, sending) => {
    const answer = await peek(line, sending)
    take(answer)
    return answer
  }
  return { jar: own, send: sendAll, peek, take }
}

/** Somebody's browser after POST /signin. */
export async function signedIn(
  auth: Pick<Auth, 'send'>,
  { email, password }: { email: string; password: string }
): Promise<Browser> {
  const own = browser(auth)
  const { status, body } = await own.send('POST /signin', { body: { email, password } })
  if (status !== 200) throw new Error(`${status} instead of 200: ${JSON.stringify(body)}`)
  return own
}
