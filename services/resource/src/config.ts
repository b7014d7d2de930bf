import { type FrameConfig, frameSettings, readConfig } from '@latchkey/service/config'
import { duration, integer, text, url } from '@latchkey/service/settings'
import { type Static, Type } from 'typebox'

/** The settings of the resource service, for the test that compares them with `.env.example`. */
export const resourceSettings = Type.Object({
  ...frameSettings,
  PORT: integer({ minimum: 0, maximum: 65535, default: '8080', description: 'Port to listen on.' }),
  ISSUER: url({ description: 'The issuer whose tokens are accepted: the iss of every token, compared byte for byte.' }),
  AUDIENCE: text({
    pattern: '^[^,]+$',
    description: 'The one name of this service that the aud of a token must hold.'
  }),
  JWKS_URL: Type.Optional(
    url({ description: "The issuer's key set, as in https://auth.example.com/.well-known/jwks.json." })
  ),
  JWKS_FILE: Type.Optional(
    text({ description: 'A JWK set in a file: instead of JWKS_URL, or until the first fetch from it succeeds.' })
  ),
  JWKS_CACHE_FILE: Type.Optional(
    text({
      description: 'File that the fetched key set is kept in, so that the service restarts while the issuer is down.'
    })
  ),
  JWKS_MIN_AGE: duration({ default: '30s', description: 'Shortest time until the key set is fetched again.' }),
  JWKS_MAX_AGE: duration({
    default: '10m',
    description: 'Longest time until the key set is fetched again: after it a withdrawn key is refused everywhere.'
  }),
  JWKS_STALE_AGE: duration({
    default: '24h',
    description: 'A key set that could not be renewed for so long is no longer believed: every token gets 503.'
  }),
  JWKS_COOLDOWN: duration({ default: '5s', description: 'Least time between two fetches that unknown keys cause.' }),
  JWKS_TIMEOUT: duration({ minimum: 0.05, default: '3s', description: "Longest wait for the issuer's whole answer." }),
  CLOCK_LEEWAY: duration({
    default: '5s',
    description: 'How far the clocks of services may differ when times of tokens are checked.'
  })
})

/** The settings of the resource service, named as in the environment; durations are seconds. */
export type Config = FrameConfig & Static<typeof resourceSettings>

/** Reads the settings; throws a ConfigError that names every one that is wrong. */
export function resourceConfig(env: Readonly<Record<string, string | undefined>>): Readonly<Config> {
  const noKeys = 'JWKS_URL is not set, nor is JWKS_FILE. One of them says where the public keys are.'
  return readConfig(resourceSettings, env, env['JWKS_URL'] || env['JWKS_FILE'] ? [] : [noKeys])
}
