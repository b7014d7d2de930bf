import { Type } from 'typebox'
import { LONGEST_SENT, MAX_BYTES, refusePassword, refuseUnreadable } from './policy.ts'

/** Without controls, in the regular expressions of both ECMA-262 and Python. */
const PASSWORD_PATTERN = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$'

/** Any password as it was sent. */
export const PASSWORD = Type.String({
  maxLength: LONGEST_SENT,
  pattern: PASSWORD_PATTERN,
  description: 'A password: at most 300 UTF-16 units, no control characters',
  examples: ['correct horse battery'],
  refuse: refuseUnreadable
})

/** A password that is chosen, as it was sent, of at least so many code points. */
export function newPassword(minLength: number, example = 'correct horse battery') {
  return Type.String({
    minLength,
    maxLength: MAX_BYTES,
    pattern: PASSWORD_PATTERN,
    description: `A new password: once in NFC at least ${minLength} characters and at most ${MAX_BYTES} bytes of UTF-8, no control characters, none of the common ones, not the name or the address of the account`,
    examples: [example],
    refuse: (sent: string) => refusePassword(sent, minLength)
  })
}
