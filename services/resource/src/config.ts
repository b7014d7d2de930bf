import { resolve } from 'node:path'
import { ConfigError, type FrameConfig, frameSettings, readConfig } from '@latchkey/frame/config'
import { contradictions } from '@latchkey/frame/contradictions'
import { cookieDomain, cookieDomainDoubt } from '@latchkey/frame/cookie-domain'
import { duration, integer, text, url } from '@latchkey/frame/settings'
import { type Static, Type } from 'typebox'
import { faultsOfFeed, feedSettings } from './feed.ts'

/** In seconds. */
const DAY = 86_400

const AUDIENCE =
  'The one name of this service that the aud of a token must hold; tokens for others are refused. Not the ISSUER: tokens that are for it open its administration.'

/** The settings of the resource service, for the test that compares them with `.env.example`. */
export const resourceSettings = Type.Object({
  ...frameSettings,
  PORT: integer({
    minimum: 0,
    maximum: 65535,
    default: '8080',
    description: 'Port to listen on; 0 is any free one.'
  }),
  ISSUER: url({
    description: 'The issuer whose tokens are accepted: the iss of every token, compared byte for byte.'
  }),
  AUDIENCE: text({ pattern: '^[^,]+$', description: AUDIENCE }),
  COOKIE_DOMAIN: cookieDomain(
    'COOKIE_DOMAIN of the auth service: it decides the name of the access cookie that GET /welcome reads. Unset, the cookie reaches this service only if a browser sees both under one host.'
  ),
  JWKS_URL: Type.Optional(
    url({
      description:
        "The issuer's key set, as in https://auth.example.com/.well-known/jwks.json. Whoever answers there decides which tokens are good. This or JWKS_FILE must be set."
    })
  ),
  JWKS_FILE: Type.Optional(
    text({
      description:
        'A JWK set in a file, read once. Without JWKS_URL it is all there is; with it, it stands in until the first fetch succeeds.'
    })
  ),
  JWKS_CACHE_FILE: Type.Optional(
    text({
      description:
        'File that the fetched key set is kept in, so that the service restarts while the issuer is down. Unset, such a start answers 503 until the issuer is back.'
    })
  ),
  JWKS_MIN_AGE: duration({
    maximum: DAY,
    minimum: 1,
    default: '30s',
    description: 'Shortest time until the key set is fetched again, though the issuer may say less.'
  }),
  JWKS_MAX_AGE: duration({
    maximum: 7 * DAY,
    minimum: 1,
    default: '10m',
    description:
      'Longest time until the key set is fetched again, though the issuer may say more: after it a withdrawn key is refused.'
  }),
  JWKS_STALE_AGE: duration({
    maximum: 30 * DAY,
    minimum: 1,
    default: '24h',
    description: 'A key set that could not be renewed for this long is no longer used: every token gets 503.'
  }),
  JWKS_COOLDOWN: duration({
    maximum: 3600,
    default: '5s',
    description:
      'Shortest time between two fetches for unknown keys. It limits what a flood of them costs the issuer; a token of a new key may wait this long.'
  }),
  JWKS_TIMEOUT: duration({
    maximum: 60,
    minimum: 0.05,
    default: '3s',
    description: "Longest time for the issuer's whole answer. Then the fetch has failed, and the current set stays."
  }),
  CLOCK_LEEWAY: duration({
    maximum: 300,
    default: '5s',
    description:
      'How far the clocks of services may differ when times of tokens are checked; an expired token is accepted for this long.'
  }),
  ...feedSettings
})

/** The settings of the resource service, named as in the environment; durations are seconds. */
export type Config = FrameConfig & Static<typeof resourceSettings>

/** Durations that contradict each other. */
const ORDERS = [
  ['JWKS_MIN_AGE', 'JWKS_MAX_AGE', 'no time to fetch the key set again is within both'],
  [
    'JWKS_MAX_AGE',
    'JWKS_STALE_AGE',
    'the key set is believed no more before it is fetched again, and every token gets 503'
  ]
] as const

/** Reads the settings. Throws a ConfigError that names every wrong one. */
export function resourceConfig(env: Readonly<Record<string, string | undefined>>): Readonly<Config> {
  const problems: string[] = []
  if (!env['JWKS_URL'] && !env['JWKS_FILE'])
    problems.push('JWKS_URL is not set, nor is JWKS_FILE. One of them says where the public keys are.')
  if (env['AUDIENCE'] && env['AUDIENCE'] === env['ISSUER'])
    problems.push(`AUDIENCE must not be the ISSUER. ${AUDIENCE}`)
  const config = readConfig(resourceSettings, env, problems)
  const { JWKS_FILE: seed, JWKS_CACHE_FILE: cache } = config
  if (seed && cache && resolve(seed) === resolve(cache))
    problems.push('JWKS_CACHE_FILE must not be JWKS_FILE, which would be written over: name another file.')
  problems.push(...faultsOfFeed(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** Returns a line for the log for each setting that contradicts another. */
export function doubts(config: Config): string[] {
  const ofCookies = cookieDomainDoubt(config)
  return [...contradictions(config, ORDERS), ...(ofCookies ? [ofCookies] : [])]
}
