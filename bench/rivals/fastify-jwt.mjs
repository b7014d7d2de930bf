// Fastify with @fastify/jwt and a public key in a file, as its README shows it.

import { createPublicKey } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import { GREETING, greeting } from './greeting.mjs'

const { ISSUER, AUDIENCE, JWKS_URL } = process.env
const { keys } = await fetch(JWKS_URL).then((answer) => answer.json())
const kid = keys[0].kid
const pem = (id) =>
  createPublicKey({ key: keys.find((key) => key.kid === id), format: 'jwk' }).export({ type: 'spki', format: 'pem' })
const app = Fastify()
app.register(fastifyJwt, {
  secret: { public: pem(process.env.KID ?? kid) },
  verify: { algorithms: ['RS256'], allowedIss: ISSUER, allowedAud: AUDIENCE }
})
app.addHook('onRequest', (request) => request.jwtVerify())
app.get('/greet', { schema: GREETING }, ({ user }) => greeting(user.preferred_username, user.sub))
process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))
