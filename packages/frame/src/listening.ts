import { lookup } from 'node:dns/promises'
import type { App } from './app-type.ts'

/**
 * Listens on one address. If `host` is a name, that is its first address, IPv4 before IPv6.
 *
 * For a name with two addresses, such as `localhost`, Fastify would open a second server without our connection limits.
 *
 * Throws an Error that names HOST if it is no address of this machine, and the error of the system otherwise.
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
