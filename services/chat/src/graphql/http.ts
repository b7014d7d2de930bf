import type { App } from '@latchkey/frame/app-type'
import { ACCESS_TOKEN, BODY_PROBLEMS, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { execute, GraphQLError, OperationTypeNode } from 'graphql'
import {
  createHandler,
  type OperationArgs,
  type OperationContext,
  type RequestParams,
  type Response
} from 'graphql-http'
import { Type } from 'typebox'
import { type ActionParts, callerOf } from '../actions/action.ts'
import { originOf } from '../rest/origin.ts'
import { Context } from './context.ts'
import type { Asked } from './errors.ts'
import type { Engine } from './operation.ts'

/** Where GraphQL is, by HTTP and by WebSocket. */
export const PATH = '/graphql'

// Of a whole body the page of the documentation sends each member, so the examples fit together.
const DOCUMENT = { description: 'a document', examples: ['query Rooms { rooms { rooms { id name } } }'] }
const OPERATION = { description: 'the name of the operation, if the document has several', examples: ['Rooms'] }
const MAP = (description: string) => Type.Optional(Type.Union([Type.Object({}), Type.Null()], { description }))

const BODY = Type.Object(
  {
    query: Type.String(DOCUMENT),
    operationName: Type.Optional(Type.Union([Type.String(), Type.Null()], OPERATION)),
    variables: MAP('an object'),
    extensions: MAP('an object')
  },
  { additionalProperties: false }
)

const QUERY = Type.Object(
  {
    query: Type.String(DOCUMENT),
    operationName: Type.Optional(Type.String(OPERATION)),
    variables: Type.Optional(Type.String({ description: 'an object as JSON' })),
    extensions: Type.Optional(Type.String({ description: 'an object as JSON' }))
  },
  { additionalProperties: false }
)

const ANSWER = Type.Object({}, { title: 'GraphqlAnswer' })

const RESULT = {
  description:
    'The result; `extensions.code` of an error is one of the codes of this service. With `Accept: application/graphql-response+json` a request that is not executed gets 400.',
  content: {
    'application/graphql-response+json': { schema: ANSWER },
    'application/json': { schema: ANSWER }
  }
}

/** The results, beside refusals of what is no request of GraphQL. */
function answersWith(refusals: Record<number, object>): Record<number, object> {
  const { content } = refusals[400] as { content: object }
  return { ...refusals, 200: RESULT, 400: { ...refusals[400], ...RESULT, content: { ...RESULT.content, ...content } } }
}

/** What GraphQL by HTTP needs. */
export interface HttpParts {
  readonly engine: Engine
  readonly actions: ActionParts
  /** Opens a socket for a GET that is a handshake. Throws the refusal. */
  open(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

/** `/graphql`: queries by GET and POST, changes by POST (GraphQL over HTTP). */
export function graphqlByHttp(app: App, { engine, actions, open }: HttpParts): void {
  const shared = { tags: ['graphql'], security: ACCESS_TOKEN }
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const [body, { status, headers = {} }] = await answer(request, reply, engine, actions)
    return reply.code(status).headers(headers).serializer(String).send(body)
  }
  app.upgrades.allow(PATH)
  app.get(PATH, {
    schema: {
      ...shared,
      operationId: 'graphqlQuery',
      summary: 'Ask by GraphQL, changing nothing',
      querystring: QUERY,
      response: answersWith(problems(...TOKEN_PROBLEMS))
    },
    exposeHeadRoute: false,
    onRequest: [
      async (request, reply) => {
        if (app.upgrades.of(request)) await open(request, reply)
      },
      app.requireAccessToken
    ],
    handler
  })
  app.post(PATH, {
    schema: {
      ...shared,
      operationId: 'graphql',
      summary: 'Ask or change something by GraphQL',
      body: BODY,
      response: answersWith(problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS))
    },
    onRequest: app.requireAccessToken,
    handler
  })
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  engine: Engine,
  parts: ActionParts
): Promise<Response> {
  const handle = handlerFor(request, reply, engine, parts)
  const ask = (accept: string | undefined) =>
    handle({
      method: request.method,
      url: request.raw.url ?? '',
      headers: { ...request.headers, accept },
      body: request.body as Record<string, unknown> | null,
      raw: request,
      context: undefined
    })
  const answered = await ask(request.headers.accept)
  const { status } = answered[1]
  if (status === NOT_ACCEPTABLE) return ask(undefined)
  if (status === UNSUPPORTED) throw new Problem('unsupported_media_type')
  return answered
}

/** Statuses without a body: who accepts no type of ours gets JSON; a charset other than UTF-8 is refused. */
const NOT_ACCEPTABLE = 406
const UNSUPPORTED = 415

function handlerFor(request: FastifyRequest, reply: FastifyReply, engine: Engine, parts: ActionParts) {
  const asked: Asked = { log: request.log, requestId: request.id }
  const over = endOf(reply)
  return createHandler<FastifyRequest, undefined, OperationContext>({
    onSubscribe: (_, params) => {
      const context = new Context(parts, callerOf(request.user, originOf(request)), over)
      const prepared = engine.prepare(params as Operation, context, asked)
      if (Array.isArray(prepared)) return prepared
      if (prepared.type === OperationTypeNode.SUBSCRIPTION) return [refused('Subscriptions need a WebSocket.', asked)]
      if (prepared.type === OperationTypeNode.MUTATION && request.method === 'GET') {
        throw new Problem('method_not_allowed', { allow: ['POST'] })
      }
      return prepared.args as OperationArgs<OperationContext>
    },
    execute: async (args) => {
      const result = await execute(args)
      // Nobody gets it, and that its rest was left is no failure.
      return over.aborted ? { data: null } : engine.shown(result, asked)
    },
    // What is left are faults of the parameters.
    formatError: (error) => (error instanceof GraphQLError ? error : refused(error.message, asked))
  })
}

type Operation = RequestParams & { query: string }

function refused(message: string, { requestId }: Asked): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'invalid_input', request_id: requestId } })
}

// When the answer is sent, cut by the time limit, or the client is gone.
function endOf({ raw }: FastifyReply): AbortSignal {
  const ending = new AbortController()
  raw.once('close', () => ending.abort()).once('finish', () => ending.abort())
  return ending.signal
}
