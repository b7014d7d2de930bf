import { Type } from 'typebox'
import { MAX_BYTES } from './engine.ts'
import { LONGEST_SENT, refusePassword, refuseUnreadable } from './policy.ts'

/** A text without control characters, in the regular expressions of ECMA-262 and of Python. */
const PASSWORD_PATTERN = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$'

/** A password as sent. */
export const PASSWORD = Type.String({
  maxLength: LONGEST_SENT,
  pattern: PASSWORD_PATTERN,
  description: 'A password: at most 300 UTF-16 units, no control characters',
  examples: ['correct horse battery'],
  refuse: refuseUnreadable
})

/** A new password as sent, of at least this many code points. */
export function newPassword(minLength: number, example = 'correct horse battery') {
  return Type.String({
    minLength,
    maxLength: MAX_BYTES,
    pattern: PASSWORD_PATTERN,
    description: `A new password: at least ${minLength} characters and at most ${MAX_BYTES} bytes of UTF-8, counted in NFC. No control characters, no common password, not the name or the address of the account`,
    examples: [example],
    refuse: (sent: string) => refusePassword(sent, minLength)
  })
}
