// A process with many verifiers, each with its own receiver of the revocation feed and its own connection. Each watches all tokens
// that will be revoked, and the process sends when one is refused.
import { createVerifier, openFeed, openKeySet } from '../packages/verifier/dist/index.js'

/** @typedef {{ issuer: string, audience: string, jwksUrl: string, url: string, token: string, count: number, tokens: string[] }} Asked */

process.once('message', async (/** @type {Asked} */ asked) => {
  const { issuer, audience, jwksUrl, url, token, count, tokens } = asked
  const keys = await openKeySet({ url: jwksUrl })
  const feeds = Array.from({ length: count }, () => {
    const revocations = openFeed({ url: `${url}/revocations`, token, whenCut: 'refuse' })
    return { revocations, verifier: createVerifier({ issuer, audience, keys, revocations }) }
  })
  while (feeds.some(({ revocations }) => revocations.unready())) await new Promise((resolve) => setTimeout(resolve, 20))
  for (const { verifier } of feeds) {
    await Promise.all(tokens.map((text) => verifier.verify(text)))
    for (const [number, text] of tokens.entries()) {
      verifier.watch(text, (reason) => {
        if (reason !== 'revoked') throw new Error(`a token is ${reason}`)
        process.send?.({ number, at: performance.timeOrigin + performance.now() })
      })
    }
  }
  process.send?.('reading')
})

process.on('warning', (error) => {
  console.error(error)
  process.exit(1)
})
