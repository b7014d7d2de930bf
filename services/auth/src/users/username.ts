/** Longest name as it is sent, in UTF-16 units: what is done to a name grows with it. */
const LONGEST_SENT = 1000

/** Longest name as it is kept, in code points. */
const LONGEST = 64

/** Controls and what ends a line: a name is one line. */
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029'

/** Unicode's Bidi_Control: they make what stands after a name look as if it stood in it, or the other way round. */
const BIDI = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069'

/** What String.trim() takes off: White_Space of ECMA-262, line ends among it. */
const BLANK = '\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff'

/**
 * What a name in NFC looks like, for people and generators, in the regular expressions of both ECMA-262 and Python. That
 * it has to show is beyond it: the letters of all scripts would be a page.
 */
export const USERNAME_PATTERN = `^[${BLANK}]*[^${BLANK}${CONTROLS}${BIDI}](?:[^${CONTROLS}${BIDI}]{0,${LONGEST - 2}}[^${BLANK}${CONTROLS}${BIDI}])?[${BLANK}]*$`

const REFUSED = new RegExp(`[${CONTROLS}]`, 'u')
const TURNS = new RegExp(`[${BIDI}]`, 'u')

// Marks need a letter to stand on, and the last four are drawn as nothing: the Braille pattern without a dot, the null
// notehead, and the blanks of hieroglyphs.
const SHOWS =
  /[^\p{White_Space}\p{M}\p{Cc}\p{Cf}\p{Cs}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}\u{13441}\u{13442}]/u

/** Brings a display name into the form that is stored: NFC, outer white space trimmed. */
export function normalizeUsername(sent: string): string {
  return sent.normalize('NFC').trim()
}

/**
 * Says why a name cannot be taken, or nothing when it can.
 *
 * At most 1,000 UTF-16 units as sent, which is looked at before all else; then, normalized, 1 to 64 code points, no
 * control characters, no line breaks, nothing that turns the line round, and at least one character that shows.
 */
export function refuseUsername(sent: string): string | undefined {
  if (sent.length > LONGEST_SENT) return `must have at most ${LONGEST} characters`
  if (!sent.isWellFormed()) return 'must be text without broken characters'
  const name = normalizeUsername(sent)
  if ([...name].length > LONGEST) return `must have at most ${LONGEST} characters`
  if (REFUSED.test(name)) return 'must not have line breaks or control characters'
  if (TURNS.test(name)) return 'must not have characters that change the direction of text'
  return SHOWS.test(name) ? undefined : 'must have a character that can be seen'
}
