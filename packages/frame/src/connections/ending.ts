import type { Socket } from 'node:net'

/** How long an ended connection is still read, in milliseconds: closed at once, its last answer could be lost. */
const LINGER = 1000

/** Ends a connection after its last answer, which may be given here, so that a client that still sends can read it. */
export function endGently(socket: Socket, text = ''): void {
  if (socket.destroyed) return
  socket.on('error', () => {}).end(text)
  const timer = setTimeout(() => socket.destroy(), LINGER)
  socket.once('close', () => clearTimeout(timer))
}
