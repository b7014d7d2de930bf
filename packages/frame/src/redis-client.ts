import { isIP } from 'node:net'
import type { RedisClient as Client } from '@redis/client'
import { REDIS_TIMEOUT } from './redis-time.ts'

/** The package `@redis/client`, which is loaded only where there is a Redis. */
export type RedisLibrary = typeof import('@redis/client')

type None = Record<never, never>

/** What commands are given to, by their names. */
export type RedisClient = Client<None, None, None, 2, None>

/** What a server says that has no password, to one that shows one. The second is of Redis 5 and older. */
const NEEDLESS = /without any password configured|no password is set/

/** Where a server is, and how to log in. */
export type RedisPlace = ReturnType<typeof redisPlace>

/** Reads a URL. The error for one that cannot be read does not repeat it, because it may have a password in it. */
export function redisPlace({ RedisClient }: RedisLibrary, url: string) {
  try {
    const { socket, username = '', password = '', database = 0 } = RedisClient.parseURL(url)
    return { socket: { ...socket, ...nameFor(socket) }, username, password, database }
  } catch {
    throw new Error('the URL of Redis cannot be read')
  }
}

/**
 * Makes a client that connects once, until the signal ends it. Its commands fail at once while it is not connected.
 *
 * `createClient` would add a method for each of 500 commands, in 50 ms and 20 MB.
 */
export function redisClient(library: RedisLibrary, { socket }: RedisPlace, signal: AbortSignal): RedisClient {
  return new library.RedisClient<None, None, None, 2, None>({
    // The newer protocol begins with a command that older servers do not know, and that a user may not be allowed.
    RESP: 2,
    socket: { ...socket, ...endedBy(signal), connectTimeout: REDIS_TIMEOUT, reconnectStrategy: false },
    disableOfflineQueue: true,
    disableClientInfo: true,
    // Its deadlines are only for what is not sent yet, and cost a timer for each command.
    commandOptions: { timeout: 0 }
  })
}

// By it a server of many names chooses its certificate (RFC 6066 §3). An address is no name.
function nameFor(socket: object): { servername?: string } {
  const isNamed = 'tls' in socket && 'host' in socket && typeof socket.host === 'string' && isIP(socket.host) === 0
  return isNamed ? { servername: String(socket.host) } : {}
}

// Sockets take it, also those with TLS, whose type lacks it. Without it one that is not connected yet would go on.
const endedBy = (signal: AbortSignal): object => ({ signal })

/**
 * Logs in; resolves with whether a password was asked for, or none is known. Rejects if the server refuses, is still
 * loading, or has no such database. The error has neither the user nor the password in it.
 *
 * The client would do it by itself, but give up where a server asks for no password, or where a user may not name its
 * connections.
 */
export async function logIn(
  { ErrorReply }: RedisLibrary,
  client: RedisClient,
  { username, password, database, name }: RedisPlace & { name: string }
): Promise<{ isNeedless: boolean }> {
  let isNeedless = false
  const auth = async () => {
    if (username === '' && password === '') return
    await client.sendCommand(['AUTH', ...(username === '' ? [] : [username]), password]).catch((error: Error) => {
      if (!NEEDLESS.test(error.message)) throw error instanceof ErrorReply ? refusalOf(error) : error
      isNeedless = true
    })
  }
  const answers = await Promise.allSettled([
    auth(),
    database > 0 && client.sendCommand(['SELECT', String(database)]),
    client.sendCommand(['CLIENT', 'SETNAME', name]).catch(() => {}),
    client.sendCommand(['PING']).catch((error: Error) => {
      if (!error.message.startsWith('NOPERM')) throw error
    })
  ])
  // The first: the others follow from it.
  const refusal = answers.find((answer) => answer.status === 'rejected')
  if (refusal) throw refusal.reason
  return { isNeedless }
}

// A server that does not know the command repeats the user and the password, or their beginnings. Of what it says only the
// code is kept.
function refusalOf({ message }: Error): Error {
  const [code] = /^(WRONGPASS|NOPERM|NOAUTH|LOADING|ERR)\b/.exec(message) ?? ['without a code']
  return new Error(`Redis refuses the user and the password of REDIS_URL: ${code}`)
}
