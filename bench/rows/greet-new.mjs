import path from 'node:path'
import { interleaved, load, startRival } from '../measure.mjs'
import { AUDIENCE } from '../pair.mjs'
import { accessTokens, createPeople } from '../people.mjs'

/** Tokens of a round: with 5,000 it is over before the load is up, and a server that waits for it is not measured. */
const TOKENS = 20_000
/** Rounds before the first that counts: after fewer than 15,000 requests the figures still rise. */
const WARM = 1

/** GET /greet, every token new, beside other ways to verify. */
export async function greetNew({ pair, rounds, quick }) {
  const warm = quick ? 1 : WARM
  const auth = await pair.startAuth(await createPeople(pair, 1))
  const resource = await pair.startResource()
  const env = {
    ISSUER: pair.issuer,
    AUDIENCE,
    JWKS_URL: pair.jwksUrl,
    PUBLIC_KEY: path.join(pair.keys, 'access/current.public.pem')
  }
  const framedJose = await startRival('framed-jose', env)
  const jose = await startRival('fastify-jose', env)
  const express = await startRival('express-oauth2', env)
  const fastifyJwt = await startRival('fastify-jwt', env)
  // In each round, each contender gets the same tokens, which it has never seen.
  const batches = []
  for (let round = 0; round < warm + rounds; round += 1) batches.push(await accessTokens(pair, TOKENS))
  const rate = (/** @type {string} */ url) => {
    const left = [...batches]
    return () => load({ url, path: '/greet', tokens: left.shift(), connections: 20, amount: TOKENS })
  }
  const ways = {
    ours: rate(resource.url),
    framedJose: rate(framedJose.url),
    jose: rate(jose.url),
    express: rate(express.url),
    fastifyJwt: rate(fastifyJwt.url)
  }
  const found = await interleaved(ways, { warm, rounds })
  await Promise.all([resource, framedJose, jose, express, fastifyJwt, auth].map(({ stop }) => stop()))
  const row = { what: 'GET /greet, every token new', unit: 'requests/s', ours: found.ours }
  return [
    { ...row, beside: 'jose createRemoteJWKSet in the same frame', other: found.framedJose, least: 1.25 },
    { ...row, beside: 'Fastify + jose createRemoteJWKSet: no log or headers', other: found.jose },
    { ...row, beside: 'express-oauth2-jwt-bearer', other: found.express, least: 1.5 },
    { ...row, beside: '@fastify/jwt as its README shows it', other: found.fastifyJwt }
  ]
}
