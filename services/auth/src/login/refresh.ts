import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, problems } from '@latchkey/frame/schemas'
import type { FastifyRequest } from 'fastify'
import { SIGNED_IN } from '../guards/token-cookies.ts'
import type { Parts } from '../parts/parts.ts'
import type { Held } from '../sessions/rotation.ts'
import { type NextTokensParts, nextTokens } from './next-tokens.ts'

const schema = {
  tags: ['cookies'],
  operationId: 'renewCookies',
  summary: 'Renew the cookies',
  description:
    'Like /refresh-token, but with the refresh cookie. While the access cookie of the same session has more than ' +
    'COOKIE_RENEWAL_WINDOW left, the answer is 400 with Retry-After, and the cookies do not change.',
  security: [{ refreshCookie: [] }],
  response: { 200: SIGNED_IN, ...problems(...ACCOUNT_PROBLEMS, ...BODY_PROBLEMS, 'renewal_too_early') }
}

type RefreshParts = NextTokensParts & Pick<Parts, 'guards' | 'cookies' | 'findGenuine' | 'renewal'>

/** `POST /refresh`: the renewal of the cookies. Tabs that renew at once get the same refresh cookie. */
export function refresh(app: App, parts: RefreshParts): void {
  const { guards, cookies, findGenuine, renewal } = parts
  const renew = nextTokens(parts)
  app.post('/refresh', { schema, onRequest: guards.refreshCookie }, async (request, reply) => {
    const tokens = await renew(request, { held: await heldBy(request) })
    return reply.send(cookies.set(reply, tokens))
  })

  // Two access cookies count as none: after a change of COOKIE_DOMAIN a browser has both until the old one expires.
  async function heldBy(request: FastifyRequest): Promise<Held | undefined> {
    const access = await findGenuine('access', { request, find: cookies.findAccess })
    if (access?.sid !== request.refreshClaims.sid) return undefined
    return { epoch: access.epoch, wait: access.exp - renewal.window - renewal.now() / 1000 }
  }
}
