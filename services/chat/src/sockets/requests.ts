import { idOf } from '@latchkey/frame/ids'
import { fieldValidator } from '@latchkey/frame/validation'
import { Problem } from '@latchkey/problems/problem'
import { type Static, type TObject, Type } from 'typebox'
import { type ActionParts, type AnyAction, callerOf } from '../actions/action.ts'
import { ACTIONS } from '../actions/all.ts'
import { perform } from '../actions/perform.ts'
import { ROOM_ID, SEQ } from '../fields.ts'
import type { Asker } from './asker.ts'
import type { Request } from './frames.ts'
import { timeOf } from './messages.ts'

/** What becomes of a good request: the members of `ok`, and what follows it. */
interface Done {
  readonly output: Readonly<Record<string, unknown>>
  after?(): void
}

/** A request that clients may send. */
interface Definition<I extends TObject> {
  readonly input: I
  run(asker: Asker, input: Static<I>): Promise<Done>
}

type Handler = (asker: Asker, input: Request['input']) => Promise<Done>

const validator = fieldValidator()

function handler<I extends TObject>({ input: schema, run }: Definition<I>): Handler {
  const validate = validator({ schema, method: '', url: '', httpPart: 'body' })
  return async (asker, input) => {
    const { error } = validate(input) as { error?: Error }
    if (error) throw error
    return run(asker, input as Static<I>)
  }
}

const LOG_ID = idOf('the log, as hello and earlier answers have it')

/** The requests that only sockets have. */
const OWN: Readonly<Record<string, Handler>> = {
  subscribe: handler({
    input: Type.Object(
      { room: ROOM_ID, after: Type.Optional(SEQ), stream: Type.Optional(LOG_ID) },
      { additionalProperties: false }
    ),
    run: async ({ life, rooms, origin }, input) => {
      const { output, begin } = await rooms.subscribe(callerOf(life.claims, origin), input)
      return { output, after: begin }
    }
  }),
  unsubscribe: handler({
    input: Type.Object({ room: ROOM_ID }, { additionalProperties: false }),
    run: async ({ rooms }, { room }) => {
      rooms.unsubscribe(room)
      return { output: {} }
    }
  }),
  reauth: handler({
    input: Type.Object(
      { token: Type.Optional(Type.String()), ticket: Type.Optional(Type.String()) },
      { additionalProperties: false }
    ),
    run: async ({ life, rooms, origin }, { token, ticket }) => {
      if ((token === undefined) === (ticket === undefined)) {
        const message = 'must be there, or a ticket, and not both'
        throw new Problem('invalid_input', { errors: [{ field: 'token', message }] })
      }
      await life.renew(ticket === undefined ? { token: String(token) } : { ticket })
      const { exp, roles } = life.claims
      const after = () => {
        rooms.judge(callerOf(life.claims, origin))
        life.warn()
      }
      return { output: { expires_at: timeOf(exp), roles }, after }
    }
  }),
  ping: handler({
    input: Type.Object({}, { additionalProperties: false }),
    run: async () => ({ output: { now: new Date().toISOString() } })
  })
}

/** The names of all requests: every action, and what only sockets have. */
export const REQUEST_TYPES: readonly string[] = [...ACTIONS.map(({ name }) => name), ...Object.keys(OWN)]

/** Makes the function that answers requests: with `ok`, or it throws a Problem. */
export function answerer(parts: ActionParts): (asker: Asker, request: Request) => Promise<void> {
  const handlers = new Map(Object.entries(OWN))
  for (const action of ACTIONS) handlers.set(action.name, handlerOf(action, parts))
  return async (asker, { id, type, input }) => {
    const handle = typeof type === 'string' ? handlers.get(type) : undefined
    if (!handle) {
      const message = 'must be the name of a request'
      throw new Problem('invalid_input', { errors: [{ field: 'type', message }] })
    }
    const { output, after } = await handle(asker, input)
    asker.line.send({ type: 'ok', id, ...output })
    after?.()
  }
}

function handlerOf(action: AnyAction, parts: ActionParts): Handler {
  return handler({
    input: action.input,
    run: async ({ life, origin }, input) => {
      const done = (await perform(action, parts, callerOf(life.claims, origin), input)) as Record<string, unknown>
      // `id` is that of the request.
      const { id: room, ...output } = done
      return { output: room === undefined ? output : { room, ...output } }
    }
  })
}
