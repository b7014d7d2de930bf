import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import { DEVICE_MEMORY } from '../guards/genuine.ts'
import { SIGNED_IN } from '../guards/token-cookies.ts'
import type { Parts } from '../parts/parts.ts'
import { PASSWORD } from '../passwords/fields.ts'
import { EMAIL } from '../users/fields.ts'
import { endShown } from './end-shown.ts'
import { type PasswordLoginParts, passwordLogin } from './password-login.ts'

const schema = {
  tags: ['cookies'],
  operationId: 'signIn',
  summary: 'Log in with address and password, and get the tokens as cookies',
  description:
    'Like /login, but for pages in a browser: no script can read the tokens. If the request has a refresh cookie, it ' +
    'counts as the earlier token of the device, and its session ends.',
  security: [{}, { refreshCookie: [] }],
  body: Type.Object({ email: EMAIL, password: PASSWORD }, { additionalProperties: false }),
  response: {
    200: SIGNED_IN,
    ...problems(
      ...BODY_PROBLEMS,
      'invalid_request',
      'invalid_credentials',
      'cross_site',
      'account_disabled',
      'email_unverified',
      'too_many_requests'
    )
  }
}

type SigninParts = PasswordLoginParts & Pick<Parts, 'findGenuine' | 'limit' | 'cookies' | 'guards'>

/** `POST /signin`: a {@link passwordLogin} that sets the cookies. */
export function signin(app: App, parts: SigninParts): void {
  const { actingOf, tokens, findGenuine, limit, cookies, guards } = parts
  const logIn = passwordLogin(parts)
  app.post(
    '/signin',
    { schema, config: { audited: 'login' }, onRequest: [guards.ownSite, limit.count] },
    limit.spaced(async (request, reply) => {
      const token = cookies.findRefresh(request)
      const earlier = await findGenuine('refresh', { request, find: () => token }, DEVICE_MEMORY)
      const granted = await logIn(request, { ...request.body, shown: async () => earlier })
      // The new cookies replace those of the earlier session, which would stay open although no cookie leads to it.
      if (earlier) await endShown(actingOf(request), earlier, { replacedBy: granted.grant.sid })
      return reply.send(cookies.set(reply, await tokens.issue(granted)))
    })
  )
}
