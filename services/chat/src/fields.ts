import { idOf } from '@latchkey/frame/ids'
import { Type } from 'typebox'
import { ROLES } from './rules.ts'

/** Most characters of a message, as code points. */
export const TEXT_LENGTH = 4000

/** Most characters of a room's name, as code points. */
const NAME_LENGTH = 64

/** The id of a room, as sent. */
export const ROOM_ID = idOf('a room')

/** The id of a user, as sent: the `sub` of their tokens. */
export const USER_ID = idOf('a user')

/** The number of an event. */
export const SEQ = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'the number of an event in its room'
})

/** Most entries of a page. */
export const MOST_ENTRIES = 100

/** How many entries a page has. */
export const LIMIT = Type.Integer({
  minimum: 1,
  maximum: MOST_ENTRIES,
  description: `a number from 1 to ${MOST_ENTRIES}`
})

/** Entries of a page, unless the request says otherwise. */
export const DEFAULT_LIMIT = 50

/** A role in a room. */
export const ROLE = Type.Enum([...ROLES], { title: 'Role', description: 'owner, moderator or member' })

/** Whether anybody sees a room and may join it, or only with an invitation. */
export const VISIBILITY = Type.Enum(['public', 'private'], { title: 'Visibility', description: 'public or private' })

/** The name of a room. */
export const ROOM_NAME = Type.String({
  minLength: 1,
  maxLength: NAME_LENGTH,
  description: `a name on one line of 1 to ${NAME_LENGTH} characters`,
  examples: ['Tea'],
  refuse: (name: string) => refuseText(name, { longest: NAME_LENGTH, controls: CONTROLS })
})

/** The text of a message; kept as sent. */
export const MESSAGE_TEXT = Type.String({
  minLength: 1,
  maxLength: TEXT_LENGTH,
  description: `a text of 1 to ${TEXT_LENGTH} characters, not only white space; of control characters only line feed and tab`,
  examples: ['Good morning'],
  refuse: (text: string) => refuseText(text, { longest: TEXT_LENGTH, controls: CONTROLS_BUT_LINES })
})

const CONTROLS = /\p{Cc}/u
const CONTROLS_BUT_LINES = /[^\P{Cc}\n\t]/u

// Characters are code points, of one or two UTF-16 units. The first line bounds the work of the others.
function refuseText(text: string, { longest, controls }: { longest: number; controls: RegExp }): string | undefined {
  const tooLong = `must have at most ${longest} characters`
  if (text.length > 2 * longest) return tooLong
  if (!text.isWellFormed()) return 'must be well-formed Unicode: it has half of a surrogate pair'
  if ([...text].length > longest) return tooLong
  if (controls.test(text)) return 'must not have control characters'
  return text.trim() === '' ? 'must not be blank' : undefined
}
