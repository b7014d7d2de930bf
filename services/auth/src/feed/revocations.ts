import type { App } from '@latchkey/frame/app-type'
import { clientKey, clientOf } from '@latchkey/frame/client'
import { extendAnswerTime } from '@latchkey/frame/connections/answer-time'
import { problems } from '@latchkey/frame/schemas'
import { Problem, unavailable } from '@latchkey/problems/problem'
import { readBearer } from '@latchkey/tokens/bearer'
import { hashOfBearer, isOfHash } from '@latchkey/tokens/bearer-hash'
import { REVOCATION_NONCE, REVOCATION_PLACE, readPlace } from '@latchkey/tokens/revocations'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Receiver } from '../revocations/receivers.ts'
import type { Feed } from './feed.ts'

/** Up to ten seconds, because the service closes a connection that is silent for 15. */
const A_WAIT = '^(10([.]0{1,3})?|[0-9]([.][0-9]{1,3})?)$'

const QUERY = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        maxLength: 33,
        pattern: REVOCATION_PLACE.source.replaceAll('\\.', '[.]'),
        description: 'the `to` of the last answer',
        examples: ['7.0123456789abcdef']
      })
    ),
    wait: Type.Optional(
      Type.String({
        maxLength: 6,
        pattern: A_WAIT,
        default: '0',
        description: 'a number of seconds from 0 to 10, with at most three decimals',
        examples: ['2.5']
      })
    ),
    nonce: Type.String({
      maxLength: 64,
      pattern: REVOCATION_NONCE.source,
      description: '16 to 64 random characters of base64url',
      examples: ['dGhpcyBpcyBhIG5vbmNl']
    })
  },
  { additionalProperties: false }
)

const schemaOf = (needsToken: boolean) => ({
  tags: ['discovery'],
  operationId: 'getRevocations',
  summary: 'Get what access tokens are good no more',
  description:
    'A long poll for resource services. Answered when something has ended after the place `after`, or when `wait` is over. ' +
    'Without `after`, or if the service does not have the place, everything is told from the beginning, at once. The answer ' +
    'is a JWS (RFC 7515) of type `revocations+jwt`, signed by an access key, with the claims `iss`, `iat`, `nonces` (yours ' +
    'is one of them), `after`, `to`, `more`, `complete_at` and `entries`: `["subject", hash, epoch, seconds]`, ' +
    '`["session", hash, null, seconds]`, `["key", kid, null, null]`, `["all", null, time, seconds]`. docs/revocation.md ' +
    'has their meaning.' +
    (needsToken ? ' The bearer token is the FEED_TOKEN of the service.' : ''),
  security: needsToken ? [{ feedToken: [] }] : [],
  querystring: QUERY,
  response: {
    200: {
      description: 'What has ended. With `Retry-After` if too many questions wait: ask again after so many seconds.',
      content: { 'application/jwt': { schema: { type: 'string', description: 'A JWS in compact form' } } }
    },
    ...problems(...(needsToken ? NEEDS_TOKEN : []), 'too_many_requests')
  }
})

const NEEDS_TOKEN = ['missing_token', 'invalid_request', 'invalid_token'] as const

interface RevocationsParts {
  readonly feed: Feed
  /** Notes who asks. */
  readonly note: (receiver: Receiver) => void
  readonly tokens: readonly string[] | undefined
}

/** `GET /revocations`. Without `tokens` everybody may ask. */
export function revocations(app: App, { feed, note, tokens }: RevocationsParts): void {
  const options = {
    schema: schemaOf(tokens !== undefined),
    // Nobody would get the answer that HEAD waits for.
    exposeHeadRoute: false,
    config: { logs: 'refusals' as const },
    onRequest: tokens ? requireToken(tokens) : []
  }
  app.get('/revocations', options, async (request, reply) => {
    const { after = null, wait = '0', nonce } = request.query
    if (request.raw.socket.destroyed) throw unavailable('the client has gone')
    const milliseconds = Number(wait) * 1000
    extendAnswerTime(request, milliseconds)
    const asked = { after, nonce, wait: milliseconds, client: clientKey(request) }
    const { text, isCrowded } = await new Promise<{ text: Buffer; isCrowded: boolean }>((resolve, refuse) => {
      const answer = (text: Buffer, isCrowded: boolean) => resolve({ text, isCrowded })
      reply.raw.once('close', feed.ask(asked, { answer, refuse }))
      const { ip, userAgent } = clientOf(request)
      const { seq, mark } = after === null ? { seq: 0, mark: '' } : readPlace(after)
      note({ ip, userAgent: userAgent ?? '', seq, mark, isAuthenticated: tokens !== undefined })
    })
    if (isCrowded) reply.header('retry-after', '1')
    return reply.type('application/jwt').send(text)
  })
}

// Their hashes are compared, so that neither length nor content of a token can be measured.
function requireToken(tokens: readonly string[]) {
  const known = tokens.map(hashOfBearer)
  return async ({ raw }: FastifyRequest) => {
    const shown = readBearer(raw.rawHeaders)
    const matches = known.filter((hash) => isOfHash(shown, hash))
    if (matches.length > 0) return
    throw new Problem('invalid_token', {
      detail: 'The token is not the one of the feed.',
      reason: 'no token of the feed'
    })
  }
}
