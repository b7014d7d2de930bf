import { ConfigError, type FrameConfig, frameSettings, readConfig } from '@latchkey/frame/config'
import { contradictions } from '@latchkey/frame/contradictions'
import { cookieDomain, cookieDomainDoubt } from '@latchkey/frame/cookie-domain'
import { faultsOfFeed, feedSettings } from '@latchkey/frame/feed-settings'
import { faultsOfIssuer, ISSUER_ORDERS, issuerSettings, missingIssuer } from '@latchkey/frame/issuer-settings'
import { managementSettings } from '@latchkey/frame/management-settings'
import { integer } from '@latchkey/frame/settings'
import { type Static, Type } from 'typebox'

/** The settings of the resource service, for the test that compares them with `.env.example`. */
export const resourceSettings = Type.Object({
  ...frameSettings,
  ...managementSettings,
  PORT: integer({
    minimum: 0,
    maximum: 65535,
    default: '8080',
    description: 'Port to listen on; 0 is any free one.'
  }),
  ...issuerSettings,
  COOKIE_DOMAIN: cookieDomain(
    'COOKIE_DOMAIN of the auth service: it decides the name of the access cookie that GET /welcome reads. Unset, the cookie reaches this service only if a browser sees both under one host.'
  ),
  ...feedSettings
})

/** The settings of the resource service, named as in the environment; durations are seconds. */
export type Config = FrameConfig & Static<typeof resourceSettings>

/** Reads the settings. Throws a ConfigError that names every wrong one. */
export function resourceConfig(env: Readonly<Record<string, string | undefined>>): Readonly<Config> {
  const problems = missingIssuer(env)
  const config = readConfig(resourceSettings, env, problems)
  problems.push(...faultsOfIssuer(config), ...faultsOfFeed(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** Returns a line for the log for each setting that contradicts another. */
export function doubts(config: Config): string[] {
  const ofCookies = cookieDomainDoubt(config)
  return [...contradictions(config, ISSUER_ORDERS), ...(ofCookies ? [ofCookies] : [])]
}
