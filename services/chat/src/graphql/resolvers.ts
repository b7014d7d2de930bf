import { fieldValidator } from '@latchkey/frame/validation'
import { Problem } from '@latchkey/problems/problem'
import type { GraphQLFieldResolver } from 'graphql'
import type { AnyAction } from '../actions/action.ts'
import { ban } from '../actions/ban.ts'
import { bans } from '../actions/bans.ts'
import { closeRoom } from '../actions/close-room.ts'
import { createRoom } from '../actions/create-room.ts'
import { deleteMessage } from '../actions/delete-message.ts'
import { getRoom } from '../actions/get-room.ts'
import { history } from '../actions/history.ts'
import { invite } from '../actions/invite.ts'
import { join } from '../actions/join.ts'
import { kick } from '../actions/kick.ts'
import { leave } from '../actions/leave.ts'
import { listRooms } from '../actions/list-rooms.ts'
import { members } from '../actions/members.ts'
import { perform } from '../actions/perform.ts'
import { renameRoom } from '../actions/rename-room.ts'
import { send } from '../actions/send.ts'
import { setRole } from '../actions/set-role.ts'
import { unban } from '../actions/unban.ts'
import type { Context } from './context.ts'
import { camelCase, snakeCase } from './names.ts'

type Arguments = Readonly<Record<string, unknown>>

/** Gives the value of a field. */
export type Resolver = GraphQLFieldResolver<unknown, Context, Arguments>

/** A field that is an action. */
export interface ActionField {
  readonly action: AnyAction
  /** The argument that is named otherwise than in the input of the action. */
  readonly roomBy?: 'id' | 'parent'
  /** The action answers only that it is done. */
  readonly isDone?: boolean
}

/** The fields that are actions, by type and name. All others are members of what an action has answered. */
export const ACTION_FIELDS: Readonly<Record<string, Readonly<Record<string, ActionField>>>> = {
  Query: {
    rooms: { action: listRooms },
    room: { action: getRoom, roomBy: 'id' }
  },
  Mutation: {
    createRoom: { action: createRoom },
    renameRoom: { action: renameRoom },
    closeRoom: { action: closeRoom, isDone: true },
    joinRoom: { action: join },
    leaveRoom: { action: leave, isDone: true },
    createInvite: { action: invite },
    setRole: { action: setRole },
    kick: { action: kick, isDone: true },
    ban: { action: ban, isDone: true },
    unban: { action: unban, isDone: true },
    sendMessage: { action: send },
    deleteMessage: { action: deleteMessage, isDone: true }
  },
  Room: {
    members: { action: members, roomBy: 'parent' },
    bans: { action: bans, roomBy: 'parent' },
    messages: { action: history, roomBy: 'parent' }
  }
}

const validator = fieldValidator()

/** Makes the resolver of a field that is an action: its arguments are the input, what it answers is the value. */
export function resolverOf({ action, roomBy, isDone }: ActionField): Resolver {
  const validate = validator({ schema: action.input, method: '', url: '', httpPart: 'body' })
  return (parent, args, context) => {
    const input = inputOf(args, roomBy, parent)
    return context.inTurn(async () => {
      const { error } = validate(input) as { error?: Problem }
      if (error) throw named(error, roomBy)
      try {
        const output = await perform(action, context.parts, context.caller, input)
        return isDone ? true : output
      } catch (error) {
        throw error instanceof Problem ? named(error, roomBy) : error
      }
    })
  }
}

/** The value of every other field: the member of its parent, which is named as actions name it. */
export const memberOf: Resolver = (parent, _args, _context, { fieldName }) =>
  (parent as Arguments)[snakeCase(fieldName)]

// A null is as good as an argument that is left out.
function inputOf(args: Arguments, roomBy: ActionField['roomBy'], parent: unknown): Arguments {
  const given = Object.entries(args).filter(([, value]) => value !== null && value !== undefined)
  const input = given.map(([name, value]) => [roomBy === 'id' && name === 'id' ? 'room' : snakeCase(name), value])
  if (roomBy === 'parent') input.push(['room', (parent as { readonly id: string }).id])
  return Object.fromEntries(input)
}

// Faults of the input are named by the arguments that the client knows.
function named(problem: Problem, roomBy: ActionField['roomBy']): Problem {
  const { errors } = problem.options
  if (!errors) return problem
  const nameOf = (field: string) => (roomBy === 'id' && field === 'room' ? 'id' : camelCase(field))
  const translated = errors.map(({ field, message }) => ({ field: nameOf(field), message }))
  return new Problem(problem.code, { ...problem.options, errors: translated })
}
