import { lookup } from 'node:dns/promises'
import type { App } from './app-type.ts'

/**
 * Lets the app listen on one address, for a name the first that it has, IPv4 before IPv6.
 *
 * Fastify would open a second server where `localhost` has two addresses, and ours alone has the rules of connections:
 * how they are accepted, how much they may bring, how they end.
 *
 * Throws an Error that names HOST where that is no address of this machine, and what the system says otherwise.
 */
export async function listen(
  app: App,
  { host, port }: { readonly host: string; readonly port: number }
): Promise<void> {
  try {
    const { address } = await lookup(host, { verbatim: false })
    await app.listen({ host: address, port })
  } catch (error) {
    const { code = '', syscall, message } = error as NodeJS.ErrnoException
    if (syscall !== 'getaddrinfo' && code !== 'EADDRNOTAVAIL') throw error
    throw new Error(
      `HOST is no address of this machine (${message}). Set it to one, such as 127.0.0.1, or unset it; shells of conda set it to something else.`,
      { cause: error }
    )
  }
}
