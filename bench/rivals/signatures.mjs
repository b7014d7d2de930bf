// How many RS256 signatures a second jose alone gives, 16 in flight.
import { generateKeyPair, SignJWT } from 'jose'

const { privateKey } = await generateKeyPair('RS256')
const claims = { iss: 'https://auth.example.com', sub: crypto.randomUUID(), sid: crypto.randomUUID(), generation: 1 }
const seconds = Number(process.env.SECONDS)
let made = 0
const begun = performance.now()
const over = () => performance.now() - begun > seconds * 1000
await Promise.all(
  Array.from({ length: 16 }, async () => {
    for (; !over(); made += 1) await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
  })
)
process.send?.((made * 1000) / (performance.now() - begun))
process.disconnect()
