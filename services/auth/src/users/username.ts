/** Longest name as sent, in UTF-16 units, because processing takes time in proportion. */
const LONGEST_SENT = 1000

/** Longest stored name, in code points. */
const LONGEST = 64

/** Controls and line ends: a name is one line. */
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029'

/** Unicode's Bidi_Control: these characters change the order in which a name and the text around it are shown. */
const BIDI = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069'

/** What String.trim() removes: white space of ECMA-262, with line ends. */
const BLANK = '\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff'

/**
 * The pattern of a name in NFC, for people and generators, in the regular expressions of ECMA-262 and of Python. It
 * does not require a visible character: the letters of all scripts would fill a page.
 */
export const USERNAME_PATTERN = `^[${BLANK}]*[^${BLANK}${CONTROLS}${BIDI}](?:[^${CONTROLS}${BIDI}]{0,${LONGEST - 2}}[^${BLANK}${CONTROLS}${BIDI}])?[${BLANK}]*$`

const REFUSED = new RegExp(`[${CONTROLS}]`, 'u')
const TURNS = new RegExp(`[${BIDI}]`, 'u')

// Marks need a letter before them, and the last four are invisible: the empty Braille pattern, the null notehead, and
// the blanks of hieroglyphs.
const SHOWS =
  /[^\p{White_Space}\p{M}\p{Cc}\p{Cf}\p{Cs}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}\u{13441}\u{13442}]/u

/** Makes the stored form of a display name: NFC, without outer white space. */
export function normalizeUsername(sent: string): string {
  return sent.normalize('NFC').trim()
}

/**
 * Says why a name is refused, or nothing.
 *
 * It may have 1,000 UTF-16 units as sent, which is checked first. Normalized it must have 1 to 64 code points, no
 * control characters, no line breaks, no characters that change the direction of text, and at least one visible
 * character.
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
