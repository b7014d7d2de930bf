import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

const ITERATIONS = 4096

/**
 * Makes the secret that PostgreSQL stores for a password (RFC 5803), so that no statement, which a server may log,
 * contains the password. A password beyond printable ASCII is returned as it is, because the server must normalise it
 * first (RFC 4013).
 */
export function scramSecret(password: string): string {
  if (!/^[ -~]*$/.test(password)) return password
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256')
  const key = (name: string) => createHmac('sha256', salted).update(name).digest()
  const stored = createHash('sha256').update(key('Client Key')).digest()
  const base64 = (bytes: Buffer) => bytes.toString('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${base64(salt)}$${base64(stored)}:${base64(key('Server Key'))}`
}
