import { resolve } from 'node:path'
import { type Static, type TObject, Type } from 'typebox'
import { duration, text, url } from './settings.ts'

/** In seconds. */
const DAY = 86_400

const AUDIENCE =
  'The one name of this service that the aud of a token must hold; tokens for others are refused. Not the ISSUER: tokens that are for it open its administration.'

/** The settings of a service that verifies the tokens of an issuer offline. */
export const issuerSettings = {
  ISSUER: url({
    description: 'The issuer whose tokens are accepted: the iss of every token, compared byte for byte.'
  }),
  AUDIENCE: text({ pattern: '^[^,]+$', description: AUDIENCE }),
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
  })
}

/** The settings of the issuer, as they are read. */
export type IssuerConfig = Static<TObject<typeof issuerSettings>>

/** Durations that contradict each other, for `contradictions`. */
export const ISSUER_ORDERS = [
  ['JWKS_MIN_AGE', 'JWKS_MAX_AGE', 'no time to fetch the key set again is within both'],
  [
    'JWKS_MAX_AGE',
    'JWKS_STALE_AGE',
    'the key set is believed no more before it is fetched again, and every token gets 503'
  ]
] as const

/** Says what the settings of the issuer lack, before they are read. */
export function missingIssuer(env: Readonly<Record<string, string | undefined>>): string[] {
  const missing = 'JWKS_URL is not set, nor is JWKS_FILE. One of them says where the public keys are.'
  return [
    ...(env['JWKS_URL'] || env['JWKS_FILE'] ? [] : [missing]),
    ...(env['AUDIENCE'] && env['AUDIENCE'] === env['ISSUER'] ? [`AUDIENCE must not be the ISSUER. ${AUDIENCE}`] : [])
  ]
}

/** Says what the settings of the issuer contradict together. */
export function faultsOfIssuer({ JWKS_FILE: seed, JWKS_CACHE_FILE: cache }: IssuerConfig): string[] {
  if (!seed || !cache || resolve(seed) !== resolve(cache)) return []
  return ['JWKS_CACHE_FILE must not be JWKS_FILE, which would be written over: name another file.']
}

/** What `openKeySet` of the verifier takes besides its log: the issuer's set, or that of a file if there is no URL. Seconds. */
export type KeySetPlace =
  | { readonly file: string }
  | {
      readonly url: string
      readonly file?: string
      readonly cacheFile?: string
      readonly minAge: number
      readonly maxAge: number
      readonly staleAge: number
      readonly cooldown: number
      readonly timeout: number
    }

/** Where the keys of the issuer are, and how they are fetched. */
export function keySetPlace(config: IssuerConfig): KeySetPlace {
  const { JWKS_URL, JWKS_FILE, JWKS_CACHE_FILE } = config
  if (JWKS_URL === undefined) return { file: String(JWKS_FILE) }
  return {
    url: JWKS_URL,
    ...(JWKS_FILE && { file: JWKS_FILE }),
    ...(JWKS_CACHE_FILE && { cacheFile: JWKS_CACHE_FILE }),
    minAge: config.JWKS_MIN_AGE,
    maxAge: config.JWKS_MAX_AGE,
    staleAge: config.JWKS_STALE_AGE,
    cooldown: config.JWKS_COOLDOWN,
    timeout: config.JWKS_TIMEOUT
  }
}
