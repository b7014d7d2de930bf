import type { App } from '@latchkey/frame/app-type'
import { ACCESS_TOKEN, BODY_PROBLEMS, optionalBody, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import type { ProblemCode } from '@latchkey/problems/codes'
import type { HTTPMethods } from 'fastify'
import { type TObject, type TSchema, Type } from 'typebox'
import { type ActionParts, type AnyAction, callerOf } from '../actions/action.ts'
import { perform } from '../actions/perform.ts'
import { originOf } from './origin.ts'
import { whole, wholeText } from './whole.ts'

/** Where an action is in REST. */
export interface Route {
  readonly method: Extract<HTTPMethods, 'GET' | 'POST' | 'PUT' | 'DELETE'>
  /** With the members of the input that stand in the path, as in `/rooms/:room`. */
  readonly url: string
  /** Of a good answer; 204 has no body. */
  readonly status: 200 | 201 | 204
  /** The status of one answer, where it may be 200 instead of `status`. */
  readonly statusOf?: (output: unknown) => 200 | 201
  readonly tag: string
}

/** Adds an action to the REST API: its input is the path, with the query of a GET or the body of the others. */
export function route(app: App, action: AnyAction, parts: ActionParts, at: Route): void {
  const { input, output } = action
  const names = [...at.url.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const others = Object.keys(input.properties).filter((name) => !names.includes(name))
  const isRead = at.method === 'GET'
  const hasBody = !isRead && others.length > 0
  const ownProblems: ProblemCode[] = [...TOKEN_PROBLEMS, ...action.problems, ...(hasBody ? BODY_PROBLEMS : [])]
  const answers =
    at.status === 204
      ? { 204: Type.Null({ description: 'Done.' }) }
      : { [at.status]: output, ...(at.statusOf && { 200: output }) }
  const schema = {
    tags: [at.tag],
    operationId: action.name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    summary: action.summary,
    security: ACCESS_TOKEN,
    ...(names.length > 0 && { params: pick(input, names, wholeText) }),
    ...(isRead && { querystring: pick(input, others, wholeText) }),
    ...(hasBody && { body: bodyOf(input, others) }),
    response: { ...answers, ...problems(...ownProblems) } as Record<number, object>
  }
  app.route({
    method: at.method,
    url: at.url,
    schema,
    onRequest: app.requireAccessToken,
    handler: async (request, reply) => {
      const sent = { ...asObject(request.params), ...asObject(isRead ? request.query : request.body) }
      const done = await perform(action, parts, callerOf(request.user, originOf(request)), numbersOf(sent, input))
      if (at.status === 204) return reply.code(204).send(null)
      return reply.code(at.statusOf?.(done) ?? at.status).send(done)
    }
  })
}

// Where no member is required, the body may be left out.
function bodyOf(input: TObject, names: readonly string[]): TSchema {
  const body = pick(input, names)
  return names.some((name) => input.required?.includes(name)) ? body : optionalBody(body)
}

function pick(input: TObject, names: readonly string[], change = (schema: TSchema) => schema): TObject {
  const members = Object.entries(input.properties).filter(([name]) => names.includes(name))
  const required = (input.required ?? []).filter((name) => names.includes(name))
  const properties = Object.fromEntries(members.map(([name, schema]) => [name, change(schema)]))
  // Not Type.Object, which would look for what is optional anew.
  return { type: 'object', properties, required, additionalProperties: false } as unknown as TObject
}

// Paths and queries have texts only.
function numbersOf(sent: Record<string, unknown>, input: TObject): Record<string, unknown> {
  const entries = Object.entries(sent).map(([name, value]) => {
    const isNumber = typeof value === 'string' && (input.properties[name] as { type?: string }).type === 'integer'
    return [name, isNumber ? whole(value) : value]
  })
  return Object.fromEntries(entries)
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
