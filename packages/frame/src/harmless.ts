// A token is JSON in base64url, so it begins with eyJ; also where letters of it are percent-encoded, once or more often.
const TOKEN = /(?:e|%(?:25)*65)(?:y|%(?:25)*79)(?:J|%(?:25)*4[aA])[\w%.~-]*/g

// Controls (C0, DEL, C1), format characters (bidi controls and invisible ones), separators of lines, halves of pairs.
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * A client's text as it may stand in a log, in a list or on a terminal: characters that would move a cursor, break the
 * line, turn it round or show nothing are written as `\u009b`, and `[token]` stands in the place of a token.
 *
 * The result of a result is that result. It takes time in proportion to the text, which it does not cut.
 */
export function harmless(text: string): string {
  return text.replace(TOKEN, '[token]').replace(HARMFUL, written)
}

function written(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code > 0xff_ff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}
