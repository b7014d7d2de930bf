import { interleaved, load, startRival } from '../measure.mjs'
import { accessTokens, createPeople } from '../people.mjs'

/** GET /greet with tokens that were seen before, beside the same route without authentication. */
export async function greetSeen({ pair, rounds, seconds }) {
  const auth = await pair.startAuth(await createPeople(pair, 1))
  const resource = await pair.startResource()
  const framed = await startRival('framed')
  const bare = await startRival('bare')
  const tokens = await accessTokens(pair, 50)
  // The rivals are sent the same header, and do not look at it.
  const rate = (/** @type {string} */ url) => () =>
    load({ url, path: '/greet', tokens, connections: 20, duration: seconds })
  const ways = { ours: rate(resource.url), framed: rate(framed.url), bare: rate(bare.url) }
  const found = await interleaved(ways, { warm: 1, rounds })
  await Promise.all([resource, framed, bare, auth].map(({ stop }) => stop()))
  const row = { what: 'GET /greet, tokens seen before', unit: 'requests/s', ours: found.ours }
  return [
    { ...row, beside: 'the same Fastify service without authentication', other: found.framed, least: 0.85 },
    { ...row, beside: 'plain Fastify: no authentication, log or headers', other: found.bare }
  ]
}
