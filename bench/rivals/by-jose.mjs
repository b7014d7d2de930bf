import { createRemoteJWKSet, jwtVerify } from 'jose'
import { GREETING, greeting } from './greeting.mjs'

const { ISSUER, AUDIENCE, JWKS_URL } = process.env
const keys = createRemoteJWKSet(new URL(JWKS_URL))

/** Adds the route, guarded by jose and its remote key set as jose's documentation shows it. @param {import('fastify').FastifyInstance} app */
export function greetByJose(app) {
  app.addHook('onRequest', async (request) => {
    const [, token] = request.headers.authorization.split(' ')
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE })
    request.user = payload
  })
  app.get('/greet', { schema: GREETING }, ({ user }) => greeting(user.preferred_username, user.sub))
}
