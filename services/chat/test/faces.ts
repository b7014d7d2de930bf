import { WebSocket } from 'ws'
import { REQUEST_TYPES } from '../src/sockets/requests.ts'
import type { Chat, User } from './app.ts'
import { Client, portOf } from './socket.ts'

/** A way to ask for actions. The agreement test asks each of the same, and expects the same. */
export interface Face {
  readonly name: string
  /** The actions that it has, as ACTIONS names them. */
  readonly actions: readonly string[]
  /** Asks for an action; resolves with `yes` or the code of the refusal, and which members of the input it names. */
  ask(chat: Chat, user: User, action: string, input: Input): Promise<Verdict>
}

/** What an action gets. */
export type Input = Readonly<Record<string, unknown>>

/** What became of it. */
export interface Verdict {
  readonly code: string
  /** The members of the input that were refused. */
  readonly fields: readonly string[]
}

const REST: Readonly<Record<string, string>> = {
  create_room: 'POST /rooms',
  list_rooms: 'GET /rooms',
  get_room: 'GET /rooms/:room',
  rename_room: 'PUT /rooms/:room',
  close_room: 'DELETE /rooms/:room',
  join: 'POST /rooms/:room/join',
  leave: 'POST /rooms/:room/leave',
  invite: 'POST /rooms/:room/invites',
  members: 'GET /rooms/:room/members',
  set_role: 'PUT /rooms/:room/members/:user_id',
  kick: 'DELETE /rooms/:room/members/:user_id',
  bans: 'GET /rooms/:room/bans',
  ban: 'PUT /rooms/:room/bans/:user_id',
  unban: 'DELETE /rooms/:room/bans/:user_id',
  send: 'POST /rooms/:room/messages',
  history: 'GET /rooms/:room/messages',
  delete: 'DELETE /rooms/:room/messages/:seq'
}

/** Asks by REST. */
export const rest: Face = {
  name: 'REST',
  actions: Object.keys(REST),
  ask: async (chat, user, action, input) => {
    const others = new Map(Object.entries(input))
    const line = (REST[action] ?? '').replaceAll(/:(\w+)/g, (_, name: string) => {
      const value = others.get(name)
      others.delete(name)
      return encodeURIComponent(String(value))
    })
    const isRead = line.startsWith('GET')
    const query = new URLSearchParams([...others].map(([name, value]): [string, string] => [name, String(value)]))
    const { status, body } = await chat.send(
      user,
      isRead && others.size > 0 ? `${line}?${query}` : line,
      isRead || others.size === 0 ? undefined : Object.fromEntries(others)
    )
    if (status < 300) return { code: 'yes', fields: [] }
    const errors: { field: string }[] = body.errors ?? []
    return { code: body.code, fields: errors.map(({ field }) => field) }
  }
}

/** Requests that are no actions. */
const OF_SOCKETS = ['subscribe', 'unsubscribe', 'reauth', 'ping']

/** Asks on a socket, which is opened for each request. */
export const socket: Face = {
  name: '/ws',
  actions: REQUEST_TYPES.filter((type) => !OF_SOCKETS.includes(type)),
  ask: async (chat, user, action, input) => {
    const url = `ws://127.0.0.1:${await portOf(chat)}/ws`
    const client = new Client(new WebSocket(url, { headers: { authorization: `Bearer ${user.token}` } }))
    await client.next('hello')
    const { type, code, errors = [] } = await client.ask(action, input)
    client.socket.terminate()
    return type === 'ok'
      ? { code: 'yes', fields: [] }
      : { code, fields: errors.map(({ field }: { field: string }) => field) }
  }
}

const ROOM = '{ id name visibility createdAt closed head role }'
const MESSAGE = '{ seq kind createdAt actor { userId username } clientId text deleted }'

const GRAPHQL: Readonly<Record<string, string>> = {
  create_room: `mutation ($name: String!, $visibility: Visibility!) { createRoom(name: $name, visibility: $visibility) ${ROOM} }`,
  list_rooms: `query ($scope: Scope, $after: ID, $limit: Int) { rooms(scope: $scope, after: $after, limit: $limit) { rooms ${ROOM} next } }`,
  get_room: `query ($room: ID!) { room(id: $room) ${ROOM} }`,
  rename_room: `mutation ($room: ID!, $name: String!) { renameRoom(room: $room, name: $name) ${ROOM} }`,
  close_room: 'mutation ($room: ID!) { closeRoom(room: $room) }',
  join: `mutation ($room: ID!, $code: String) { joinRoom(room: $room, code: $code) ${ROOM} }`,
  leave: 'mutation ($room: ID!) { leaveRoom(room: $room) }',
  invite: 'mutation ($room: ID!) { createInvite(room: $room) { code expiresIn } }',
  members: `query ($room: ID!, $after: ID, $limit: Int)
    { room(id: $room) { members(after: $after, limit: $limit) { members { userId username role } next } } }`,
  bans: `query ($room: ID!, $after: ID, $limit: Int)
    { room(id: $room) { bans(after: $after, limit: $limit) { bans { userId username byId createdAt } next } } }`,
  set_role: `mutation ($room: ID!, $user_id: ID!, $role: Role!)
    { setRole(room: $room, userId: $user_id, role: $role) { userId username role } }`,
  kick: 'mutation ($room: ID!, $user_id: ID!) { kick(room: $room, userId: $user_id) }',
  ban: 'mutation ($room: ID!, $user_id: ID!) { ban(room: $room, userId: $user_id) }',
  unban: 'mutation ($room: ID!, $user_id: ID!) { unban(room: $room, userId: $user_id) }',
  send: `mutation ($room: ID!, $client_id: ID!, $text: String!)
    { sendMessage(room: $room, clientId: $client_id, text: $text) { room seq createdAt repeated } }`,
  history: `query ($room: ID!, $before: Int, $after: Int, $limit: Int)
    { room(id: $room) { messages(before: $before, after: $after, limit: $limit)
      { messages ${MESSAGE} nextBefore nextAfter } } }`,
  delete: 'mutation ($room: ID!, $seq: Int!) { deleteMessage(room: $room, seq: $seq) }'
}

/** Asks by GraphQL over HTTP. */
export const graphql: Face = {
  name: 'GraphQL',
  actions: Object.keys(GRAPHQL),
  ask: async (chat, user, action, variables) => {
    const { status, body } = await chat.send(user, 'POST /graphql', { query: GRAPHQL[action], variables })
    if (status !== 200 || !body.errors) return { code: status === 200 ? 'yes' : body.code, fields: [] }
    const [{ extensions }] = body.errors
    const errors: { field: string }[] = extensions.errors ?? []
    return { code: extensions.code, fields: errors.map(({ field }) => nameOf(field)) }
  }
}

// As actions name it.
function nameOf(argument: string): string {
  return argument === 'id' ? 'room' : argument.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
