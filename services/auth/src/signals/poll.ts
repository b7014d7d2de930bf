import type { Database } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import { extendAnswerTime } from '@latchkey/frame/connections/answer-time'
import { BODY_PROBLEMS, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { readBearer } from '@latchkey/tokens/bearer'
import { isOfHash } from '@latchkey/tokens/bearer-hash'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { KeyRing } from '../keys/folder.ts'
import { wordOf } from './judge.ts'
import type { KnownStreams } from './known-streams.ts'
import { createPolling } from './polling.ts'
import { createSetSigner } from './signed.ts'

/** Longest wait for a SET, in milliseconds: the frame cuts a connection that is silent for 15 s. */
const LONGEST_WAIT = 10_000

/** Most SETs of an answer. */
const LARGEST_ANSWER = 100

const A_STREAM = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
const STREAM = Type.String({
  maxLength: 36,
  pattern: A_STREAM,
  description: 'the id of a stream',
  examples: ['00000000-0000-4000-8000-000000000000']
})
const ID_OF_SET = Type.String({ maxLength: 100 })

const SET_ERROR = Type.Object({ err: Type.String({ maxLength: 100 }), description: Type.Optional(Type.String()) })

const schema = {
  tags: ['signals'],
  operationId: 'pollSignals',
  summary: 'Get the next SETs of a stream, and acknowledge earlier ones (RFC 8936)',
  description:
    'With the bearer token of the stream, which npm run admin -- stream add shows. What is not acknowledged comes again, with the same jti.',
  security: [{ streamToken: [] }],
  params: Type.Object({ id: STREAM }),
  // RFC 8936 lets receivers add members of their own.
  body: Type.Object(
    {
      maxEvents: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 2_147_483_647,
          description: `an integer from 0; at most ${LARGEST_ANSWER} SETs come, with 0 none`
        })
      ),
      returnImmediately: Type.Optional(
        Type.Boolean({ description: 'true or false; by default false: the answer waits some seconds for SETs' })
      ),
      ack: Type.Optional(
        Type.Array(ID_OF_SET, {
          maxItems: 2000,
          description: 'a list of at most 2000 ids of SETs that the receiver has'
        })
      ),
      setErrs: Type.Optional(
        // Not a Record, which would be a pattern that looks at each name, however long it is.
        Type.Unsafe<Record<string, Static<typeof SET_ERROR>>>({
          type: 'object',
          additionalProperties: SET_ERROR,
          description: 'an object with an err for the id of each SET that the receiver refuses'
        })
      )
    },
    { additionalProperties: true }
  ),
  response: {
    200: Type.Object(
      {
        sets: Type.Record(Type.String(), Type.String({ description: 'A SET: a JWS in compact form' })),
        moreAvailable: Type.Boolean({ description: 'Whether there may be more SETs now' })
      },
      { title: 'SignalsAnswer' }
    ),
    ...problems('missing_token', 'invalid_request', 'invalid_token', 'too_many_requests', ...BODY_PROBLEMS)
  }
}

/** What polls need. */
interface PollParts {
  readonly database: Database
  readonly streams: KnownStreams
  readonly access: KeyRing
  readonly issuer: string
}

/**
 * `POST /signals/:id`: the endpoint that receivers poll (RFC 8936 §2). Each stream has its token and its own SETs. What
 * waits is answered at once when the service stops.
 */
export function pollSignals(app: App, { database, streams, access, issuer }: PollParts): void {
  const polling = createPolling({ database, issuer, log: app.log })
  const signSets = createSetSigner(access)
  const onRequest = (request: FastifyRequest) => requireToken(streams, request)
  app.post('/signals/:id', { schema, config: { logs: 'refusals' }, onRequest }, async (request, reply) => {
    const { maxEvents = LARGEST_ANSWER, returnImmediately = false, ack = [], setErrs = {} } = request.body
    const errors = Object.entries(setErrs).filter(([jti]) => isJti(jti))
    const refused = new Map(errors.map(([jti, { err }]) => [jti, wordOf(err) ?? 'unknown']))
    const most = Math.min(maxEvents, LARGEST_ANSWER)
    const wait = returnImmediately || most === 0 ? 0 : LONGEST_WAIT
    extendAnswerTime(request, wait)
    const { sets, more } = await untilGone(app.closing, reply, (gone) =>
      polling.poll(request.params.id.toLowerCase(), { acknowledged: ack.filter(isJti), refused, most }, { wait, gone })
    )
    return { sets: await signSets(sets), moreAvailable: more }
  })
}

// Does something until the client is gone or the service stops.
async function untilGone<T>(closing: AbortSignal, { raw }: FastifyReply, work: (gone: AbortSignal) => Promise<T>) {
  const gone = new AbortController()
  const end = () => gone.abort()
  if (closing.aborted) end()
  closing.addEventListener('abort', end)
  raw.once('close', end)
  try {
    return await work(gone.signal)
  } finally {
    closing.removeEventListener('abort', end)
    raw.off('close', end)
  }
}

// Another id is of no SET of ours, and ignored.
const isJti = (id: string) => id.length === 22 && /^[\w-]+$/.test(id)

const STREAM_ID = new RegExp(A_STREAM)
const TOKEN = /^[\w-]{43}$/

// The answer is the same for an unknown stream: who has no token does not learn which streams there are.
async function requireToken(streams: KnownStreams, { raw, params }: FastifyRequest): Promise<void> {
  const token = readBearer(raw.rawHeaders)
  const { id } = params as { readonly id: string }
  const mayFit = token.length === 43 && TOKEN.test(token) && id.length === 36 && STREAM_ID.test(id)
  const hash = mayFit ? await streams.hashOf(id.toLowerCase()) : undefined
  if (hash && isOfHash(token, hash)) return
  throw new Problem('invalid_token', {
    detail: 'This is not the token of this stream.',
    reason: 'not the token of the stream'
  })
}
