/** What the tables abbreviate. */
export const WORDS = {
  yes: 'yes',
  hid: 'not_found',
  out: 'not_a_member',
  low: 'insufficient_role',
  shut: 'room_closed',
  ban: 'banned',
  code: 'invalid_code',
  bad: 'invalid_input',
  last: 'last_owner'
} as const

/** How the one who asks stands to the room; those without a word of it have no code of an invitation. */
export const COLUMNS = {
  public: { visibility: 'public' },
  private: { visibility: 'private' },
  'with a code': { visibility: 'private', code: 'good' },
  'with a wrong code': { visibility: 'private', code: 'wrong' },
  'banned, public': { visibility: 'public', isBanned: true },
  'banned, private, with a code': { visibility: 'private', isBanned: true, code: 'good' },
  member: { visibility: 'private', role: 'member' },
  moderator: { visibility: 'private', role: 'moderator' },
  owner: { visibility: 'private', role: 'owner' },
  'admin, public': { visibility: 'public', isAdmin: true },
  'admin, private': { visibility: 'private', isAdmin: true },
  'admin who is a member': { visibility: 'private', isAdmin: true, role: 'member' },
  'admin who is banned': { visibility: 'public', isAdmin: true, isBanned: true }
} as const satisfies Record<string, Standing>

/** One column: what the room is made with. */
export interface Standing {
  readonly visibility: 'public' | 'private'
  readonly role?: 'member' | 'moderator' | 'owner'
  readonly isAdmin?: boolean
  readonly isBanned?: boolean
  readonly code?: 'good' | 'wrong'
}

/** Others in the room, by what they are; `outsider` is not there, `banned` neither. */
export type Other = 'member' | 'moderator' | 'owner' | 'outsider' | 'banned'

/** One row: what is asked. `to` is whom it is done to, `seq` the message: 2 is one's own, 3 another's, 9 is none. */
export interface Row {
  readonly action: string
  readonly to?: Other | 'self'
  readonly seq?: number
  readonly role?: 'member' | 'moderator'
  /** There is no other owner in the room. */
  readonly isAlone?: boolean
}

/** The rows of both tables, in the order of the design. */
export const ROWS: Readonly<Record<string, Row>> = {
  'create a room': { action: 'create_room' },
  'list rooms': { action: 'list_rooms' },
  'see the room': { action: 'get_room' },
  join: { action: 'join' },
  'read messages': { action: 'history' },
  'read members': { action: 'members' },
  'read bans': { action: 'bans' },
  send: { action: 'send' },
  leave: { action: 'leave' },
  'leave alone': { action: 'leave', isAlone: true },
  'delete own': { action: 'delete', seq: 2 },
  'delete other': { action: 'delete', seq: 3 },
  'delete nothing': { action: 'delete', seq: 9 },
  invite: { action: 'invite' },
  'kick member': { action: 'kick', to: 'member' },
  'kick moderator': { action: 'kick', to: 'moderator' },
  'kick owner': { action: 'kick', to: 'owner' },
  'kick nobody': { action: 'kick', to: 'outsider' },
  'kick oneself': { action: 'kick', to: 'self' },
  'ban member': { action: 'ban', to: 'member' },
  'ban moderator': { action: 'ban', to: 'moderator' },
  'ban owner': { action: 'ban', to: 'owner' },
  'ban outsider': { action: 'ban', to: 'outsider' },
  'ban oneself': { action: 'ban', to: 'self' },
  unban: { action: 'unban', to: 'banned' },
  'raise member': { action: 'set_role', to: 'member', role: 'moderator' },
  'lower owner': { action: 'set_role', to: 'owner', role: 'member' },
  'raise nobody': { action: 'set_role', to: 'outsider', role: 'moderator' },
  'lower oneself': { action: 'set_role', to: 'self', role: 'member', isAlone: true },
  rename: { action: 'rename_room' },
  close: { action: 'close_room' }
}

/**
 * Section "who may what" of the design, for an open and for a closed room: the columns are those of {@link COLUMNS}, in
 * their order. A dash is a case that there is not.
 */
export const TABLES = {
  open: `
create a room  | yes yes yes yes  yes yes  yes  yes  yes   yes yes yes yes
list rooms     | yes yes yes yes  yes yes  yes  yes  yes   yes yes yes yes
see the room   | yes hid hid hid  yes hid  yes  yes  yes   yes yes yes yes
join           | yes hid yes code ban ban  yes  yes  yes   yes yes yes ban
read messages  | out hid hid hid  out hid  yes  yes  yes   yes yes yes yes
read members   | out hid hid hid  out hid  yes  yes  yes   yes yes yes yes
read bans      | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
send           | out hid hid hid  out hid  yes  yes  yes   out out yes out
leave          | out hid hid hid  out hid  yes  yes  yes   out out yes out
leave alone    | -   -   -   -    -   -    -    -    last  -   -   -   -
delete own     | out hid hid hid  out hid  yes  yes  yes   yes yes yes yes
delete other   | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
delete nothing | out hid hid hid  out hid  hid  hid  hid   hid hid hid hid
invite         | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
kick member    | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
kick moderator | out hid hid hid  out hid  low  low  yes   yes yes yes yes
kick owner     | out hid hid hid  out hid  low  low  low   yes yes yes yes
kick nobody    | out hid hid hid  out hid  low  hid  hid   hid hid hid hid
kick oneself   | bad bad bad bad  bad bad  bad  bad  bad   bad bad bad bad
ban member     | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
ban moderator  | out hid hid hid  out hid  low  low  yes   yes yes yes yes
ban owner      | out hid hid hid  out hid  low  low  low   yes yes yes yes
ban outsider   | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
ban oneself    | bad bad bad bad  bad bad  bad  bad  bad   bad bad bad bad
unban          | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
raise member   | out hid hid hid  out hid  low  low  yes   yes yes yes yes
lower owner    | out hid hid hid  out hid  low  low  yes   last last last last
raise nobody   | out hid hid hid  out hid  low  low  hid   hid hid hid hid
lower oneself  | -   -   -   -    -   -    -    -    last  -   -   -   -
rename         | out hid hid hid  out hid  low  low  yes   yes yes yes yes
close          | out hid hid hid  out hid  low  low  yes   yes yes yes yes`,
  closed: `
create a room  | yes yes yes yes  yes yes  yes  yes  yes   yes yes yes yes
list rooms     | yes yes yes yes  yes yes  yes  yes  yes   yes yes yes yes
see the room   | yes hid hid hid  yes hid  yes  yes  yes   yes yes yes yes
join           | shut hid shut code ban ban yes yes  yes   shut shut yes ban
read messages  | out hid hid hid  out hid  yes  yes  yes   yes yes yes yes
read members   | out hid hid hid  out hid  yes  yes  yes   yes yes yes yes
read bans      | out hid hid hid  out hid  low  yes  yes   yes yes yes yes
send           | out hid hid hid  out hid  shut shut shut  out out shut out
leave          | out hid hid hid  out hid  shut shut shut  out out shut out
leave alone    | -   -   -   -    -   -    -    -    shut  -   -   -   -
delete own     | out hid hid hid  out hid  shut shut shut  shut shut shut shut
delete other   | out hid hid hid  out hid  low  shut shut  shut shut shut shut
delete nothing | out hid hid hid  out hid  shut shut shut  shut shut shut shut
invite         | out hid hid hid  out hid  low  shut shut  shut shut shut shut
kick member    | out hid hid hid  out hid  low  shut shut  shut shut shut shut
kick moderator | out hid hid hid  out hid  low  low  shut  shut shut shut shut
kick owner     | out hid hid hid  out hid  low  low  low   shut shut shut shut
kick nobody    | out hid hid hid  out hid  low  shut shut  shut shut shut shut
kick oneself   | bad bad bad bad  bad bad  bad  bad  bad   bad bad bad bad
ban member     | out hid hid hid  out hid  low  shut shut  shut shut shut shut
ban moderator  | out hid hid hid  out hid  low  low  shut  shut shut shut shut
ban owner      | out hid hid hid  out hid  low  low  low   shut shut shut shut
ban outsider   | out hid hid hid  out hid  low  shut shut  shut shut shut shut
ban oneself    | bad bad bad bad  bad bad  bad  bad  bad   bad bad bad bad
unban          | out hid hid hid  out hid  low  shut shut  shut shut shut shut
raise member   | out hid hid hid  out hid  low  low  shut  shut shut shut shut
lower owner    | out hid hid hid  out hid  low  low  shut  shut shut shut shut
raise nobody   | out hid hid hid  out hid  low  low  shut  shut shut shut shut
lower oneself  | -   -   -   -    -   -    -    -    shut  -   -   -   -
rename         | out hid hid hid  out hid  low  low  shut  shut shut shut shut
close          | out hid hid hid  out hid  low  low  shut  shut shut shut shut`
}

/** The answer that a table says, by row and column; nothing for a dash. Throws if a cell is missing or of no known word. */
export function answersOf(table: string): Map<string, Map<string, string | undefined>> {
  const lines = table.trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [row = '', words = ''] = line.split('|')
      const answers = words.trim().split(/\s+/).map(meaning)
      const columns = Object.keys(COLUMNS)
      if (answers.length !== columns.length) throw new TypeError(`${row} has ${answers.length} cells`)
      return [row.trim(), new Map(columns.map((column, n) => [column, answers[n]]))]
    })
  )
}

function meaning(word: string): string | undefined {
  if (word === '-') return undefined
  const meant = WORDS[word as keyof typeof WORDS]
  if (!meant) throw new TypeError(`the table has no word ${word}`)
  return meant
}
