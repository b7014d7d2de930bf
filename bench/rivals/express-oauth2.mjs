// Express with express-oauth2-jwt-bearer, as its README shows it.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { greeting } from './greeting.mjs'

const { ISSUER, AUDIENCE, JWKS_URL } = process.env
const app = express()
app.use(auth({ issuer: ISSUER, audience: AUDIENCE, jwksUri: JWKS_URL, tokenSigningAlg: 'RS256' }))
app.get('/greet', (request, response) => {
  const { payload } = request.auth
  response.json(greeting(payload.preferred_username, payload.sub))
})
process.once('disconnect', () => process.exit())
const server = app.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${server.address().port}`))
