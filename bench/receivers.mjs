// A process with many receivers of the revocation feed, each with a connection of its own. As a verifier does, each checks
// the signature of every answer before it takes what it tells. Sends when each knows a key that was asked for.
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

/** How long a question may wait, in seconds. */
const WAIT = 5

process.once('message', async (/** @type {{ url: string, token: string, count: number, mark: string }} */ asked) => {
  const keys = createRemoteJWKSet(new URL(`${asked.url}/.well-known/jwks.json`))
  const receivers = Array.from({ length: asked.count }, () => receiver(asked, keys))
  // Each has read what there is.
  await Promise.all(receivers.map(({ begun }) => begun))
  process.send?.('reading')
})

/**
 * @param {{ url: string, token: string, mark: string }} asked
 * @param {ReturnType<typeof createRemoteJWKSet>} keys
 */
function receiver({ url, token, mark }, keys) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  /** @type {string | undefined} */
  let after
  const ask = async () => {
    const nonce = randomBytes(16).toString('base64url')
    const query = new URLSearchParams({ nonce, wait: String(WAIT), ...(after && { after }) })
    const text = await get(`${url}/revocations?${query}`, token, agent)
    const { payload } = await jwtVerify(text, keys, { typ: 'revocations+jwt', algorithms: ['RS256'] })
    const claims = /** @type {{ nonces: string[], to: string, more: boolean, entries: [string, string][] }} */ (
      /** @type {unknown} */ (payload)
    )
    if (!claims.nonces.includes(nonce)) throw new Error('an answer to another question')
    const at = performance.timeOrigin + performance.now()
    for (const [, key] of claims.entries) if (key?.startsWith(mark)) process.send?.({ key, at })
    after = claims.to
    return claims.more
  }
  const follow = async () => {
    for (;;) await ask()
  }
  const begin = async () => {
    while (await ask());
  }
  const begun = begin()
  begun.then(follow).catch((error) => {
    console.error(error)
    process.exit(1)
  })
  return { begun }
}

/**
 * @param {string} url
 * @param {string} token
 * @param {http.Agent} agent
 * @returns {Promise<string>}
 */
function get(url, token, agent) {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk))
        response.on('error', reject).on('end', () => {
          if (response.statusCode === 200) resolve(text)
          else reject(new Error(`the feed answers ${response.statusCode}: ${text}`))
        })
      })
      .on('error', reject)
  })
}
