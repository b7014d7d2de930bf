import { interleaved, load, rival } from '../measure.mjs'

const TOKENS = 6000

/** GET /greet, every token new, beside other ways to verify. */
export async function greetNew({ pair, rounds }) {
  const auth = await pair.startAuth({ DATABASE_URL: await pair.createDatabase() })
  const resource = await pair.startResource()
  const env = { ISSUER: pair.issuer, AUDIENCE: 'latchkey', JWKS_URL: `${pair.issuer}/.well-known/jwks.json` }
  const names = { jose: 'fastify-jose', express: 'express-oauth2', fastifyJwt: 'fastify-jwt' }
  const rivals = {}
  for (const [key, name] of Object.entries(names)) rivals[key] = await rival(name, env)
  const rate = (/** @type {string} */ url) => async () => {
    const tokens = await pair.accessTokens(TOKENS)
    return (await load({ url, path: '/greet', tokens, connections: 20, amount: TOKENS })).rate
  }
  try {
    const ways = { ours: rate(resource.url) }
    for (const [key, { said }] of Object.entries(rivals)) ways[key] = rate(said)
    for (const way of Object.values(ways)) await way()
    const { ours, jose, express, fastifyJwt } = await interleaved(ways, rounds)
    const row = { what: 'GET /greet, every token new', unit: 'requests/s', ours }
    return [
      { ...row, beside: 'Fastify + jose createRemoteJWKSet', other: jose, least: 1.5 },
      { ...row, beside: 'express-oauth2-jwt-bearer', other: express, least: 1.5 },
      { ...row, beside: '@fastify/jwt as its README shows it', other: fastifyJwt }
    ]
  } finally {
    await Promise.all([resource, ...Object.values(rivals), auth].map(({ stop }) => stop()))
  }
}
