import { SHARE } from '@latchkey/database/time-limits'
import { createApp } from '@latchkey/frame/app'
import type { App } from '@latchkey/frame/app-type'
import { health } from '@latchkey/frame/health'
import { openapi } from '@latchkey/frame/openapi'
import {
  ACCESS_TOKEN_SCHEME,
  accessCookieScheme,
  bearerScheme,
  REFRESH_TOKEN_SCHEME,
  refreshCookieScheme
} from '@latchkey/frame/security-schemes'
import { tokenCookies } from '@latchkey/tokens/cookies'
import type { FastifyBaseLogger } from 'fastify'
import { activity } from './accounts/activity.ts'
import { changePassword } from './accounts/change-password.ts'
import { deleteMe } from './accounts/delete-me.ts'
import { forgotPassword } from './accounts/forgot-password.ts'
import { me } from './accounts/me.ts'
import { resendVerification } from './accounts/resend-verification.ts'
import { resetPassword } from './accounts/reset-password.ts'
import { signup } from './accounts/signup.ts'
import { updateEmail } from './accounts/update-email.ts'
import { updateUsername } from './accounts/update-username.ts'
import { verifyEmail } from './accounts/verify-email.ts'
import { readAuditLog } from './administration/audit-log.ts'
import { changeUsers } from './administration/change.ts'
import { inviteUsers } from './administration/invite.ts'
import { listUsers } from './administration/list.ts'
import { recordRefusals } from './audit/refusals.ts'
import type { Config } from './config.ts'
import { followRevocations } from './feed/follow.ts'
import { createActingOf } from './guards/acting.ts'
import { endSession } from './login/end-session.ts'
import { listSessions } from './login/list-sessions.ts'
import { login } from './login/login.ts'
import { logout } from './login/logout.ts'
import { logoutEverywhere } from './login/logout-everywhere.ts'
import { refresh } from './login/refresh.ts'
import { refreshToken } from './login/refresh-token.ts'
import { signin } from './login/signin.ts'
import { mailPages } from './pages/pages.ts'
import { makeParts, type Opened } from './parts/make.ts'
import { missingMigration } from './schema.ts'
import { signalsConfiguration } from './signals/configuration.ts'
import { knownStreams } from './signals/known-streams.ts'
import { pollSignals } from './signals/poll.ts'
import { jwks } from './well-known/jwks.ts'
import { metadata } from './well-known/metadata.ts'

/** The parts of the app besides its settings. */
interface AppOptions extends Omit<Opened, 'now' | 'actingOf'>, Partial<Pick<Opened, 'now'>> {
  /** Says why the keys cannot be used now, or nothing; by default they always can. */
  readonly keysUnready?: () => Promise<string | undefined>
  /** Reads the keys again, after one was revoked; by default they never change. */
  readonly rereadKeys?: () => Promise<void>
  readonly logger: FastifyBaseLogger
}

/** Builds the auth service: its parts, then one line per endpoint. `now` is by default the system's clock. */
export async function buildApp(
  config: Config,
  { keysUnready = async () => undefined, rereadKeys = async () => {}, logger, now = Date.now, ...opened }: AppOptions
): Promise<App> {
  const maxAge = config.JWKS_PUBLISH_AGE
  const actingOf = createActingOf(opened.database)
  const longestAnswer = Math.max(config.ANSWER_TIMEOUT, config.PASSWORD_TIMEOUT) * 1000 * SHARE.answer

  const frame = {
    ...config,
    longestAnswer,
    usesTls: config.ISSUER.startsWith('https:'),
    onProblem: recordRefusals({ actingOf, refusals: opened.refusals })
  }
  return createApp(frame, logger, async (app) => {
    const { access, refresh: renewing } = tokenCookies({ issuer: config.ISSUER, domain: config.COOKIE_DOMAIN })
    openapi(
      app,
      {
        title: 'Latchkey auth service',
        description: 'Owns accounts and sessions, signs access and refresh tokens.',
        version: '1'
      },
      {
        accessToken: ACCESS_TOKEN_SCHEME,
        refreshToken: REFRESH_TOKEN_SCHEME,
        accessCookie: accessCookieScheme(access.name),
        refreshCookie: refreshCookieScheme(renewing.name),
        ...(config.REVOCATION_FEED === 'token' && { feedToken: bearerScheme('The FEED_TOKEN of this service.') }),
        streamToken: bearerScheme('The token of the stream, which `npm run admin -- stream add` shows.')
      }
    )
    const parts = await makeParts(app, config, { ...opened, actingOf, now })

    signup(app, parts)
    login(app, parts)
    refreshToken(app, parts)
    signin(app, parts)
    refresh(app, parts)
    changePassword(app, parts)
    updateUsername(app, parts)
    updateEmail(app, parts)
    verifyEmail(app, parts)
    resendVerification(app, parts)
    forgotPassword(app, parts)
    resetPassword(app, parts)
    me(app, parts)
    activity(app, parts)
    deleteMe(app, parts)
    listSessions(app, parts)
    endSession(app, parts)
    logout(app, parts)
    logoutEverywhere(app, parts)
    listUsers(app, parts)
    changeUsers(app, parts)
    inviteUsers(app, parts)
    readAuditLog(app, parts)
    mailPages(app, parts)
    jwks(app, { access: opened.keys.access, maxAge })
    metadata(app, { issuer: config.ISSUER, maxAge, hasFeed: config.REVOCATION_FEED !== 'off' })
    followRevocations(app, config, { ...opened, actingOf, rereadKeys })
    const { database, keys } = opened
    const signals = { database, streams: knownStreams(database), issuer: config.ISSUER, access: keys.access }
    signalsConfiguration(app, { ...signals, maxAge })
    pollSignals(app, signals)
    health(app, async () => {
      const missing = await missingMigration(opened.database)
      if (missing) return `migration ${missing} is missing; run npm run migrate -w services/auth`
      return keysUnready()
    })
  })
}
