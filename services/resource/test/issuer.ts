import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** An issuer on the loopback interface that has nothing but a key set. */
export interface Issuer {
  readonly url: string
  /** How often it was asked. */
  readonly asked: number
  /** Takes it away: from then on connections are refused. */
  stop(): Promise<void>
}

/** Starts an issuer with these keys, which it tells `after` something; without keys it takes requests and says nothing. */
export async function startIssuer(
  t: Test,
  keys: readonly object[] | undefined,
  after: Promise<void> = Promise.resolve()
): Promise<Issuer> {
  let asked = 0
  const server = createServer((_request, answer) => {
    asked += 1
    if (keys) after.then(() => answer.end(JSON.stringify({ keys })))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  t.teardown(stop)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    get asked() {
      return asked
    },
    stop
  }
}
