// How many RS256 signatures a second jose alone gives, 16 in flight, of claims like those of an access token.
import { generateKeyPair, SignJWT } from 'jose'

const { privateKey } = await generateKeyPair('RS256')
const id = () => crypto.randomUUID()
const claims = {
  iss: 'http://127.0.0.1:9090',
  aud: 'latchkey',
  sub: id(),
  client_id: 'latchkey',
  iat: 0,
  exp: 900,
  jti: id(),
  token_use: 'access',
  sid: id(),
  preferred_username: 'Ada',
  roles: ['user'],
  epoch: 0
}
await signFor(1)
process.send?.(await signFor(Number(process.env.SECONDS)))
process.disconnect()

/** @param {number} seconds */
async function signFor(seconds) {
  let made = 0
  const begun = performance.now()
  const over = () => performance.now() - begun > seconds * 1000
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (; !over(); made += 1) await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
    })
  )
  return (made * 1000) / (performance.now() - begun)
}
