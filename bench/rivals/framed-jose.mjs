// What the resource service stands on (log line, request id, security headers), with jose's remote key set in the place of our verifier.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createApp } from '../../packages/frame/dist/app.js'
import { createLogger } from '../../packages/frame/dist/logger.js'
import { GREETING, greeting, listen } from './greeting.mjs'

const { ISSUER, AUDIENCE, JWKS_URL } = process.env
const keys = createRemoteJWKSet(new URL(JWKS_URL))
const config = { NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'info' }
const app = await createApp(config, await createLogger('framed', config), async (app) => {
  app.addHook('onRequest', async (request) => {
    const [, token] = request.headers.authorization.split(' ')
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE })
    request.user = payload
  })
  app.get('/greet', { schema: GREETING }, ({ user }) => greeting(user.preferred_username, user.sub))
})
await listen(app)
