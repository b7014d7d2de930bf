import type { FastifyBaseLogger } from 'fastify'

// Also a host of one label: only the network of a compose stack or a cluster knows such names.
const NEAR = /^(.+\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$|^[^.:[\]]+$/

/**
 * Warns, in one line, of settings whose URL begins with `http:`: they are allowed because TLS may end in front of a
 * service, but where it does not, anyone on the way reads and changes what is sent, the keys of tokens too.
 *
 * Says nothing in development, nor of hosts that no open network lies before.
 */
export function warnOfPlainHttp<N extends string>(
  config: { readonly NODE_ENV: string } & { readonly [K in N]?: string | undefined },
  names: readonly N[],
  log: Pick<FastifyBaseLogger, 'warn'>
): void {
  if (config.NODE_ENV === 'development') return
  const plain = names.filter((name) => {
    const { protocol, hostname } = new URL(config[name] ?? 'https://unset')
    return protocol === 'http:' && !NEAR.test(hostname)
  })
  if (plain.length > 0) {
    log.warn(
      `${plain.join(' and ')}: http: is safe only where TLS ends in front of the service, or on a trusted network`
    )
  }
}
