import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An HTTP answer as it came over the socket. Names of headers are lower-case; a name that came twice has two values. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
  /** All of it, for a search in all of it. */
  readonly text: string
}

/**
 * Sends one request with exactly these header lines, one character a byte: clients of a higher level refuse many of them.
 * The connection is for this request alone.
 */
export function sendRaw(port: number, requestLine: string, headers: readonly string[]): Promise<RawAnswer> {
  const head = [`${requestLine} HTTP/1.1`, 'Host: test.example', 'Connection: close', ...headers, '', ''].join('\r\n')
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    connect(port, '127.0.0.1')
      .on('data', (chunk) => chunks.push(chunk))
      .on('error', reject)
      .on('close', () => resolve(parse(Buffer.concat(chunks).toString())))
      .write(Buffer.from(head, 'latin1'))
  })
}

/** Opens a connection and sends this text. What comes is read, by whoever listens for it; a reset is no error. */
export async function openRaw(url: string, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  socket.resume().write(text)
  return socket
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(line.indexOf(':') + 1).trim()])
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4), text }
}
