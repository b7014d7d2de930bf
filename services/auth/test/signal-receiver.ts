import { createPublicKey, verify } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

// A receiver of Shared Signals as the RFCs describe it (8417, 8935, 8936, 9493). It uses nothing of ours.

/** A SET whose signature was verified. */
export interface ReceivedSet {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown> & {
    readonly jti: string
    readonly events: Record<string, Record<string, unknown>>
    readonly sub_id: Record<string, unknown>
  }
}

/** A request to the receiver. */
export interface Pushed {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How the receiver answers a push. */
export type Answering = (pushed: Pushed, reply: ServerResponse) => void

/** Accepts a SET (RFC 8935 §2.2). */
export const ACCEPT: Answering = (_pushed, reply) => void reply.writeHead(202).end()

/** Refuses with an error (RFC 8935 §2.3). */
export const refuse =
  (err: string): Answering =>
  (_pushed, reply) =>
    void reply
      .writeHead(400, { 'content-type': 'application/json', 'content-language': 'en' })
      .end(JSON.stringify({ err, description: 'this receiver does not want it' }))

/** A receiver that listens. */
export interface PushReceiver {
  readonly url: string
  readonly port: number
  /** All that came so far. */
  readonly pushed: Pushed[]
  /** How it answers from now on. */
  answer: Answering
  /** Resolves when so many requests came. */
  came(count: number): Promise<Pushed[]>
  close(): Promise<void>
}

/** Listens on a port of this machine, by default any. It accepts everything at first. */
export async function startReceiver(t: Test, port = 0): Promise<PushReceiver> {
  const pushed: Pushed[] = []
  const looks = new Set<() => void>()
  const server = createServer(async (request, reply) => {
    const body = await textOf(request).catch(() => undefined)
    if (body === undefined) return
    const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
    pushed.push(one)
    receiver.answer(one, reply)
    for (const look of looks) look()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const bound = (server.address() as AddressInfo).port
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  t.teardown(close)
  const receiver: PushReceiver = {
    url: `http://127.0.0.1:${bound}/events`,
    port: bound,
    pushed,
    answer: ACCEPT,
    came: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (pushed.length < count) return
          looks.delete(look)
          resolve(pushed.slice(0, count))
        }
        looks.add(look)
        look()
      }),
    close
  }
  return receiver
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Verifies a SET by the keys of a key set (RFC 7515 §5.2, RFC 7517). Throws if it is not good. */
export function verifySet(jws: string, keys: readonly Record<string, string>[]): ReceivedSet {
  const [head = '', payload = '', signature = '', ...more] = jws.split('.')
  if (more.length > 0) throw new Error('a compact JWS has three parts')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString())
  if (header.alg !== 'RS256' || header.typ !== 'secevent+jwt') throw new Error(`header ${JSON.stringify(header)}`)
  const key = keys.find(({ kid }) => kid === header.kid)
  if (!key) throw new Error(`no key ${header.kid}`)
  const publicKey = createPublicKey({ key, format: 'jwk' })
  const isGood = verify('sha256', Buffer.from(`${head}.${payload}`), publicKey, Buffer.from(signature, 'base64url'))
  if (!isGood) throw new Error('the signature is wrong')
  return { header, claims: JSON.parse(Buffer.from(payload, 'base64url').toString()) }
}

/** The last word of the type of the one event of a SET (SSF 1.0 §5: there is one). */
export function kindOf({ claims: { events } }: ReceivedSet): string {
  const types = Object.keys(events)
  if (types.length !== 1) throw new Error(`${types.length} events`)
  return types[0]?.split('/').at(-1) ?? ''
}
