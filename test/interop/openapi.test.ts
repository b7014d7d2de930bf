import t from 'tap'
import { claimsOf } from '../../services/auth/test/tokens.ts'
import { choose, refusedIn, SKIPPED, startPlace } from './schemathesis.ts'

// Operations by the token that they are tried with; all others take an administrator's.

/** They are in openapi-public.test.ts and openapi-codes.test.ts. */
const ELSEWHERE = ['signUp', 'logIn', 'signIn', 'renewCookies', 'updateEmail', 'verifyEmail', 'resetPassword']

const WITH_REFRESH_TOKEN = ['refreshTokenByGet', 'refreshToken', 'logOut']
/** Wrong passwords, and an end of all sessions: few of these requests find the token still good. */
const LAST = ['deleteMe', 'changePassword', 'logOutEverywhere']
/** Schemathesis remembers ids of earlier answers. With the administrator's own these would end what the others need. */
const ENDS_SESSIONS = ['endUserSessions', 'disableUser', 'deleteUser', 'endSession']

t.test('what the services answer with a token is in their OpenAPI documents', { skip: SKIPPED }, async (t) => {
  const { auth, resource, ask, logIn, administration } = await startPlace(t)

  await t.test('those that leave the session as it is', async (t) => {
    const token = await administration()
    const others = choose('exclude', [...ELSEWHERE, ...WITH_REFRESH_TOKEN, ...LAST, ...ENDS_SESSIONS])
    const refused = await refusedIn(t, { url: auth.url, token, chosen: others })
    const expected = ['POST /signals/{id}', 'POST /users', 'POST /users/{id}/invitation']
    t.strictSame(refused, expected, 'a stream has a token of its own, and nobody is invited without mail')
  })

  await t.test('those that end sessions, each of somebody else', async (t) => {
    const ids: Record<string, string> = { endSession: String(claimsOf((await logIn()).access_token)['sid']) }
    for (const name of ENDS_SESSIONS.filter((name) => name !== 'endSession')) {
      ids[name] = (
        await ask('/signup', { email: `${name}@example.com`, password: 'a lamp in the window', username: name })
      ).id
    }
    const config = ENDS_SESSIONS.map(
      (name) => `[[operations]]\ninclude-operation-id = "${name}"\nparameters = { "path.id" = "${ids[name]}" }\n`
    ).join('')
    const token = await administration()
    const chosen = choose('include', ENDS_SESSIONS)
    t.strictSame(await refusedIn(t, { url: auth.url, token, chosen, config }), [])
  })

  await t.test('those that take a refresh token', async (t) => {
    const { refresh_token: token } = await logIn()
    await refusedIn(t, { url: auth.url, token, chosen: choose('include', WITH_REFRESH_TOKEN) })
  })

  await t.test('those that take a password, and the end of all sessions', async (t) => {
    const { access_token: token } = await logIn()
    const refused = await refusedIn(t, { url: auth.url, token, chosen: choose('include', LAST) })
    t.strictSame(refused, ['DELETE /me', 'POST /change-password'], 'nobody makes up the right password')
  })

  await t.test('the resource service', async (t) => {
    const { access_token: token } = await logIn()
    t.strictSame(await refusedIn(t, { url: resource.url, token }), ['GET /welcome'], 'it goes by cookie alone')
  })
})
