import type { IncomingMessage } from 'node:http'

/** Fields that mean something only with an upgrade (RFC 9110 §7.8, RFC 7540 §3.2.1). */
const OF_UPGRADES = ['upgrade', 'http2-settings']

/** The head of a request as it came, without its wish for another protocol, which a server may ignore (RFC 9110 §7.8). */
export function withoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2)
    const left = name.toLowerCase() === 'connection' ? others(value) : value
    if (!OF_UPGRADES.includes(name.toLowerCase()) && left !== undefined) lines.push(`${name}: ${left}`)
  }
  // Node has read each byte as one character.
  return Buffer.from([...lines, '', ''].join('\r\n'), 'latin1')
}

function others(options: string): string | undefined {
  const left = options.split(',').filter((option) => !OF_UPGRADES.includes(option.trim().toLowerCase()))
  return left.length === 0 ? undefined : left.join(',').trim()
}
