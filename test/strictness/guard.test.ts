import type { Queryable } from '@latchkey/database/pool'
import { createApp } from '@latchkey/frame/app'
import { accessClaims, refreshClaims } from '@latchkey/testing/tokens'
import type { Kind } from '@latchkey/tokens/claims'
import { pino } from 'pino'
import t from 'tap'
import { createFindGenuine } from '../../services/auth/src/guards/genuine.ts'
import { createGuards } from '../../services/auth/src/guards/guards.ts'
import { createCookies } from '../../services/auth/src/guards/token-cookies.ts'
import { createVerifyToken } from '../../services/auth/src/guards/verify.ts'
import { deviations } from './deviations.ts'
import { makeForger } from './forger.ts'
import { signingKeys } from './signing-keys.ts'

const issuer = 'https://auth.example.com'
const audience = 'latchkey'
const leeway = 5
const forger = await makeForger()
const keys = await signingKeys(forger.keys)

// Everybody's session lives: what is judged here is the token alone.
const database: Queryable<string> = { query: async () => [{}] as never }

const app = await createApp(
  { NODE_ENV: 'production', HOST: '', LOG_LEVEL: 'silent', KEEP_ALIVE_TIMEOUT: 72 },
  pino({ level: 'silent' }),
  async (app) => {
    const settings = { issuer, audience: ['chat', audience], leeway, now: Date.now }
    const verifyToken = await createVerifyToken(app, { keys, settings })
    const guards = createGuards(app, {
      database,
      verifyToken,
      findGenuine: createFindGenuine(verifyToken),
      cookies: createCookies({ issuer, domain: undefined }),
      sites: { issuer, origins: [] }
    })
    app.get('/access', { onRequest: guards.account }, () => 'accepted')
    app.get('/refresh', { onRequest: guards.refresh }, () => 'accepted')
    app.get('/access-cookie', { onRequest: guards.account }, () => 'accepted')
    app.get('/refresh-cookie', { onRequest: guards.refreshCookie }, () => 'accepted')
  }
)
t.teardown(() => app.close())

const COOKIES: Record<Kind, string> = { access: '__Host-token', refresh: '__Host-refresh_token' }
const CLAIMS: Record<Kind, (now: number) => object> = {
  access: (now) => accessClaims(issuer, audience, now),
  refresh: (now) => refreshClaims(issuer, now)
}

for (const kind of ['access', 'refresh'] satisfies Kind[]) {
  t.test(`@fastify/jwt and the rules judge every deviation of ${kind} tokens like the table`, async (t) => {
    const found: Record<string, string> = {}
    const expected: Record<string, string> = {}
    for (const { name, make, outcome, inHeader = 'no HTTP' } of deviations(kind)) {
      const now = Math.floor(Date.now() / 1000)
      const token = make(forger.good(kind, { ...CLAIMS[kind](now) }, { now, leeway }))
      const answer = await app.inject({ url: `/${kind}`, headers: { authorization: `Bearer ${token}` } })
      found[name] = answer.statusCode === 200 ? answer.body : answer.json().code
      // No parser of HTTP is in between, so a token with any character gets here.
      expected[name] = inHeader === 'no HTTP' ? outcome : inHeader
      // A cookie carries such a token as it is; others are cut or split on the way.
      if (!/^[\w.~+/=-]+$/.test(token)) continue
      const cookie = `${COOKIES[kind]}=${token}`
      const again = await app.inject({ url: `/${kind}-cookie`, headers: { cookie } })
      found[`${name}, by cookie`] = again.statusCode === 200 ? again.body : again.json().code
      expected[`${name}, by cookie`] = outcome
    }
    t.strictSame(found, expected)
  })
}
