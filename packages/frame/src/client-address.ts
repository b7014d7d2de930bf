import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv4, type Socket } from 'node:net'
import type { App } from './app-type.ts'

/** Most proxies that a request may have passed; further entries of X-Forwarded-For are ignored. */
const MOST_PROXIES = 32

/** Finds the address of a client, for limits, logs and the list of sessions. */
export type AddressOf = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string

/**
 * Makes a function that finds the client's address in its canonical form: IPv4 in IPv6 becomes IPv4, IPv6 is written as
 * in RFC 5952, without port and zone.
 *
 * `proxies` are addresses and CIDR ranges. If the other end of the connection is one of them, the last entry of
 * X-Forwarded-For is the client, or another of these proxies, and so on. If an entry is no address, the proxy that sent
 * it counts as the client.
 */
export function clientAddresses(proxies: readonly string[] = []): AddressOf {
  if (proxies.length === 0) return ({ socket }) => peerOf(socket)
  const isTrusted = trustIn(proxies)
  return ({ headers, socket }) => {
    const header = [headers['x-forwarded-for'] ?? ''].flat().join()
    let client = peerOf(socket)
    let end = header.length
    for (let hop = 0; hop < MOST_PROXIES && end > 0 && isTrusted(client); hop += 1) {
      const comma = header.lastIndexOf(',', end - 1)
      const address = readEntry(header.slice(comma + 1, end))
      if (address === undefined) break
      client = address
      end = comma
    }
    return client
  }
}

/**
 * Sets `ip` of each request to the client's address, because Fastify would accept any text of X-Forwarded-For. Sets
 * `protocol` to the last X-Forwarded-Proto, if the other end is one of `proxies`. Call it before the first plugin.
 */
export function knowClients(app: App, addressOf: AddressOf, proxies: readonly string[] = []): void {
  const isTrusted = trustIn(proxies)
  app.decorateRequest('ip', {
    getter() {
      return addressOf(this.raw)
    }
  })
  app.decorateRequest('protocol', {
    getter() {
      const said = [this.raw.headers['x-forwarded-proto'] ?? ''].flat().join().split(',').at(-1)
      return said?.trim() === 'https' && isTrusted(peerOf(this.raw.socket)) ? 'https' : 'http'
    }
  })
  // Node remembers the address once it was read; after the client has left it is no longer known.
  app.server.on('connection', peerOf)
}

function peerOf(socket: Socket): string {
  const { remoteAddress: address = 'unknown' } = socket
  // The system writes other addresses in their canonical form already.
  return /^::ffff:|%/i.test(address) ? (canonical(address) ?? 'unknown') : address
}

/** Longest entry that can be an address: IPv6 with zone, port, brackets and quotation marks. */
const LONGEST_ENTRY = 80

// With a port (Azure), in brackets, in quotation marks (RFC 7239 §6).
function readEntry(entry: string): string | undefined {
  if (entry.length > LONGEST_ENTRY) return undefined
  const text = entry.trim().replace(/^"(.*)"$/, '$1')
  const [, inBrackets] = /^\[(.*)\](?::\d{1,5})?$/.exec(text) ?? []
  return canonical(inBrackets ?? text.replace(/^([\d.]+):\d{1,5}$/, '$1'))
}

function canonical(address: string): string | undefined {
  const [bare = ''] = isIP(address) === 6 ? address.split('%') : [address]
  if (isIPv4(bare)) return bare
  if (isIP(bare) !== 6) return undefined
  const { hostname } = new URL(`http://[${bare}]`)
  const [, high, low] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname) ?? []
  if (high === undefined || low === undefined) return hostname.slice(1, -1)
  const bits = [high, low].map((part) => Number.parseInt(part, 16))
  return bits.flatMap((part) => [part >> 8, part & 0xff]).join('.')
}

function trustIn(proxies: readonly string[]): (address: string) => boolean {
  const networks = networksOf(proxies)
  return (address) => isIP(address) !== 0 && networks[familyOf(address)].check(address, familyOf(address))
}

interface Networks {
  readonly ipv4: BlockList
  readonly ipv6: BlockList
}

const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')

// One list per family, because a range of IPv6 must not contain IPv4 addresses. IPv4 in IPv6 counts as IPv4.
function networksOf(proxies: readonly string[]): Networks {
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const proxy of proxies) {
    const [written = '', bits] = proxy.split('/')
    const address = canonical(written) ?? written
    const outer = isIPv4(address) && !isIPv4(written) ? BITS_BEFORE_IPV4 : 0
    const family = familyOf(address)
    if (bits === undefined) networks[family].addAddress(address, family)
    else if (Number(bits) >= outer) networks[family].addSubnet(address, Number(bits) - outer, family)
    else networks.ipv6.addSubnet(written, Number(bits), 'ipv6')
  }
  return networks
}

/** Length in bits of the prefix of IPv4 in IPv6: `::ffff:0:0/96`. */
const BITS_BEFORE_IPV4 = 96
