// Fastify with @fastify/jwt and a public key in a file, as its README shows it.
import { readFileSync } from 'node:fs'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import { GREETING, greeting, listen } from './greeting.mjs'

const { ISSUER, AUDIENCE, PUBLIC_KEY } = process.env
const app = Fastify()
app.register(fastifyJwt, {
  secret: { public: readFileSync(PUBLIC_KEY, 'utf8') },
  verify: { algorithms: ['RS256'], allowedIss: ISSUER, allowedAud: AUDIENCE }
})
app.addHook('onRequest', async (request, reply) => {
  try {
    await request.jwtVerify()
  } catch (error) {
    reply.send(error)
  }
})
app.get('/greet', { schema: GREETING }, ({ user }) => greeting(user.preferred_username, user.sub))
await listen(app)
