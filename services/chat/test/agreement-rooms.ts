import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Other, Row, Standing } from './agreement.ts'
import type { Chat, User } from './app.ts'

/** A fresh room for one case, and who asks in it. */
export interface Case {
  readonly user: User
  readonly room: string
  /** What the action gets, named as in its input. */
  readonly input: Readonly<Record<string, unknown>>
}

const OTHERS: readonly Other[] = ['member', 'moderator', 'owner', 'outsider', 'banned']

/** Makes the room of a case by SQL, with one's own message 2 and another's 3, and what is asked in it. */
export async function makeCase(
  chat: Chat,
  { standing, row, isClosed }: { standing: Standing; row: Row; isClosed: boolean }
): Promise<Case> {
  const { visibility, role, isAdmin, isBanned, code } = standing
  // A user of their own for each case: so no limit of a user is met.
  const user = chat.user('Ada', isAdmin ? { roles: ['user', 'admin'] } : {})
  const others = Object.fromEntries(OTHERS.map((other) => [other, randomUUID()])) as Record<Other, string>
  const good = randomBytes(16).toString('base64url')
  const members = [
    [others.member, 'member'],
    [others.moderator, 'moderator'],
    [others.owner, row.isAlone ? 'moderator' : 'owner'],
    ...(role ? [[user.id, role]] : [])
  ]
  const [made] = await chat.database.query<{ id: string }>(
    `WITH r AS (INSERT INTO rooms (name, visibility, created_by, closed_at)
            VALUES ('Tea', $1, $2, CASE WHEN $3 THEN now() END) RETURNING id),
          h AS (INSERT INTO heads (room_id, last_seq, closed) SELECT id, 3, $3 FROM r),
          m AS (INSERT INTO members (room_id, user_id, username, role, since_seq)
            SELECT r.id, u, 'somebody', role, 1 FROM r, unnest($4::uuid[], $5::text[]) AS m (u, role)),
          b AS (INSERT INTO bans (room_id, user_id, by_id) SELECT r.id, u, $2 FROM r, unnest($6::uuid[]) AS u),
          i AS (INSERT INTO invites (code_hash, room_id, created_by, by_admin, expires_at)
            SELECT $7, id, $2, true, now() + interval '1 hour' FROM r),
          e AS (INSERT INTO events (room_id, seq, kind, actor_id, actor_name, client_id, text)
            SELECT r.id, seq, kind, actor, 'somebody', CASE kind WHEN 'message' THEN gen_random_uuid() END, text
            FROM r, (VALUES (1, 'created', $2::uuid, NULL), (2, 'message', $8::uuid, 'a'), (3, 'message', $2::uuid, 'b'))
              AS e (seq, kind, actor, text))
     SELECT id FROM r`,
    [
      visibility,
      others.owner,
      isClosed,
      members.map(([id]) => id),
      members.map(([, role]) => role),
      [others.banned, ...(isBanned ? [user.id] : [])],
      createHash('sha256').update(good).digest(),
      user.id
    ]
  )
  const room = made?.id ?? ''
  const to = row.to === 'self' ? user.id : row.to && others[row.to]
  return { user, room, input: inputOf(row, { room, to, code: code === 'wrong' ? 'A'.repeat(22) : code && good }) }
}

/** The input of a row; `room` may be any. */
export function inputOf(
  { action, seq, role }: Row,
  { room, to, code }: { room: string; to: string | undefined; code: string | undefined }
): Record<string, unknown> {
  if (action === 'create_room') return { name: 'Coffee', visibility: 'public' }
  if (action === 'list_rooms') return { scope: 'mine' }
  return {
    room,
    ...(to && { user_id: to }),
    ...(role && { role }),
    ...(seq !== undefined && { seq }),
    ...(action === 'join' && code && { code }),
    ...(action === 'rename_room' && { name: 'Coffee' }),
    ...(action === 'send' && { client_id: randomUUID(), text: 'Good morning' })
  }
}
