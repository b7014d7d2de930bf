// better-auth with e-mail and password and its JWT plugin over node:http, as its documentation shows them; RS256 in
// place of EdDSA, and no rate limit.
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import pg from 'pg'

const { DATABASE_URL, PORT } = process.env
const options = {
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: 'only for this benchmark, and no secret at all',
  database: new pg.Pool({ connectionString: DATABASE_URL }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [jwt({ jwks: { keyPairConfig: { alg: 'RS256', modulusLength: 2048 } } })]
}
const { runMigrations } = await getMigrations(options)
await runMigrations()
const server = createServer(toNodeHandler(betterAuth(options)))
process.once('disconnect', () => process.exit())
server.listen(Number(PORT), '127.0.0.1', () => process.send?.(options.baseURL))
