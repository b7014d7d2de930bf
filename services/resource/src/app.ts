import { createApp } from '@latchkey/frame/app'
import type { App } from '@latchkey/frame/app-type'
import { health } from '@latchkey/frame/health'
import { openapi } from '@latchkey/frame/openapi'
import { ACCESS_TOKEN_SCHEME, accessCookieScheme } from '@latchkey/frame/security-schemes'
import type { Reader } from '@latchkey/metrics/open'
import { verifierReader } from '@latchkey/metrics/verifier'
import { tokenCookies } from '@latchkey/tokens/cookies'
import { createVerifier, fromCookie, type KeySet, type RevocationFeed } from '@latchkey/verifier'
import accessTokens from '@latchkey/verifier/fastify'
import namedAccessTokens from '@latchkey/verifier/fastify-named'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import { gate } from './gate.ts'
import { greet } from './greet.ts'
import { welcome } from './welcome.ts'

/** The parts of the app, which does not close them. */
export interface Parts {
  readonly keys: KeySet
  /** None: tokens are accepted until they expire. */
  readonly revocations?: RevocationFeed | undefined
  readonly logger: FastifyBaseLogger
  /** Gets what reads the metrics of the app; nobody by default. */
  readonly measure?: (reader: Reader) => void
}

/** Builds the resource service: the verifier, then one line per endpoint. */
export async function buildApp(config: Config, { keys, revocations, logger, measure }: Parts): Promise<App> {
  const { ISSUER: issuer, AUDIENCE: audience, CLOCK_LEEWAY: leeway, COOKIE_DOMAIN: cookieDomain } = config
  const verifier = createVerifier({ issuer, audience, keys, leeway, ...(revocations && { revocations }) })
  measure?.(verifierReader({ keys, verifier, revocations }))

  return createApp(config, logger, async (app) => {
    openapi(
      app,
      {
        title: 'Latchkey resource service',
        description: 'Holds no secret and asks nobody: it verifies access tokens offline.',
        version: '1'
      },
      {
        accessToken: ACCESS_TOKEN_SCHEME,
        accessCookie: accessCookieScheme(tokenCookies({ issuer, domain: cookieDomain }).access.name)
      }
    )
    await app.register(accessTokens, { verifier })
    const tokenFrom = fromCookie({ issuer, cookieDomain, origins: config.CORS_ORIGINS })
    await app.register(namedAccessTokens, { verifier, tokenFrom, property: 'visitor', hook: 'requireAccessCookie' })

    greet(app)
    welcome(app)
    gate(app)
    health(app, () => keys.unready() ?? revocations?.unready())
  })
}
