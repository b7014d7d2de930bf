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
  const setting = { name: 'HOST', advice: ', or unset it; shells of conda set it to something else' }
  await atAddressOf(host, setting, (address) => app.listen({ host: address, port }))
}

/**
 * Gives `open` the first address of a host, IPv4 before IPv6, and waits for it.
 *
 * Throws an Error that names the setting if the host is no address of this machine, with its `advice` behind; and the error
 * of `open` otherwise.
 */
export async function atAddressOf(
  host: string,
  { name, advice = '' }: { readonly name: string; readonly advice?: string },
  open: (address: string) => Promise<unknown>
): Promise<void> {
  try {
    const { address } = await lookup(host, { verbatim: false })
    await open(address)
  } catch (error) {
    const { code = '', syscall, message } = error as NodeJS.ErrnoException
    if (syscall !== 'getaddrinfo' && code !== 'EADDRNOTAVAIL') throw error
    const problem = `${name} is no address of this machine (${message})`
    throw new Error(`${problem}. Set it to one, such as 127.0.0.1${advice}.`, { cause: error })
  }
}
