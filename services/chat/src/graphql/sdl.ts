/** The schema as clients read it. Each field of Query, Mutation and Room that has arguments is an action. */
export const SDL = /* GraphQL */ `
type Query {
  "Your rooms, or the public ones, in the order of their names."
  rooms(scope: Scope, after: ID, limit: Int): RoomPage
  "A room that you may see."
  room(id: ID!): Room
}

type Mutation {
  "Makes a room; you own it."
  createRoom(name: String!, visibility: Visibility!): Room
  renameRoom(room: ID!, name: String!): Room
  "Closes a room for good; its members may still read it."
  closeRoom(room: ID!): Boolean
  "Joins a room, a private one with the code of an invitation."
  joinRoom(room: ID!, code: String): Room
  "Leaves a room; with its last member it closes."
  leaveRoom(room: ID!): Boolean
  "Makes a code by which others join, for seven days."
  createInvite(room: ID!): Invite
  setRole(room: ID!, userId: ID!, role: Role!): Member
  "Removes a member, who may join again."
  kick(room: ID!, userId: ID!): Boolean
  "Keeps a user out of a room, member or not."
  ban(room: ID!, userId: ID!): Boolean
  unban(room: ID!, userId: ID!): Boolean
  "Sends a message; repeat it under the same clientId if no answer came."
  sendMessage(room: ID!, clientId: ID!, text: String!): SentMessage
  "Takes the text of a message away; its place stays."
  deleteMessage(room: ID!, seq: Int!): Boolean
}

type Subscription {
  """
  What happens in a room, each event once and in the order of seq: after the number in after, or from now on. It ends
  with the event by which you are a member no more, or by which the room closes.
  """
  roomEvents(room: ID!, after: Int): Event!
}

enum Scope { mine public }
enum Visibility { public private }
enum Role { owner moderator member }

type Room {
  id: ID!
  name: String!
  visibility: Visibility!
  createdAt: String!
  closed: Boolean!
  "The number of its last event."
  head: Int!
  "Yours; null if you are no member."
  role: Role
  members(after: ID, limit: Int): MemberPage
  "Who may not join it, for those who may lift that."
  bans(after: ID, limit: Int): BanPage
  "The last messages, or those before or after a number."
  messages(before: Int, after: Int, limit: Int): MessagePage
}

type RoomPage {
  rooms: [Room!]!
  "The argument after of the next page; null on the last one."
  next: ID
}

type Member {
  userId: ID!
  username: String!
  role: Role!
}

type MemberPage {
  members: [Member!]!
  "The argument after of the next page; null on the last one."
  next: ID
}

type Ban {
  userId: ID!
  "The name that they had in the room; null if they never showed one."
  username: String
  "Who banned them."
  byId: ID!
  createdAt: String!
}

type BanPage {
  bans: [Ban!]!
  "The argument after of the next page; null on the last one."
  next: ID
}

type Person {
  userId: ID!
  username: String
}

type Message {
  seq: Int!
  kind: String!
  createdAt: String!
  actor: Person!
  clientId: ID
  "Null once it is deleted."
  text: String
  deleted: Boolean!
}

type MessagePage {
  "In the order of their numbers."
  messages: [Message!]!
  "The argument before of the page with older ones; null if there are none."
  nextBefore: Int
  "The argument after of the page with newer ones; null if none was asked for or there are none."
  nextAfter: Int
}

type SentMessage {
  room: ID!
  seq: Int!
  createdAt: String!
  "It was sent before; this is where."
  repeated: Boolean!
}

type Invite {
  code: String!
  "In seconds."
  expiresIn: Int!
}

"Something that happened in a room. Which of the other fields are there depends on kind; skip kinds that you do not know."
type Event {
  seq: Int!
  kind: String!
  createdAt: String!
  actor: Person!
  clientId: ID
  text: String
  deleted: Boolean!
  targetSeq: Int
  target: Person
  role: Role
  name: String
}
`
