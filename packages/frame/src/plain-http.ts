import type { FastifyBaseLogger } from 'fastify'

// A host of one label too: only the network of a compose stack or a cluster knows such names.
const NEAR = /^(.+\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$|^[^.:[\]]+$/

/**
 * Warns, in one line, of settings whose URL begins with `http:`. They are allowed, because TLS may end in front of a
 * service; otherwise anybody on the network can read and change what is sent, also the keys of tokens.
 *
 * It does not warn in development, or about hosts that no open network can reach.
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
