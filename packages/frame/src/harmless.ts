// A token is JSON in base64url, so it begins with eyJ. Its letters may be percent-encoded, once or several times.
const TOKEN = /(?:e|%(?:25)*65)(?:y|%(?:25)*79)(?:J|%(?:25)*4[aA])[\w%.~-]*/g

// Controls (C0, DEL, C1), format characters (bidi controls and invisible ones), separators of lines, halves of pairs.
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * Makes a client's text safe for a log, a list or a terminal: characters that move the cursor, break or reverse the
 * line, or are invisible become escapes such as `\u009b`, and tokens become `[token]`.
 *
 * It is idempotent, takes linear time, and does not shorten the text.
 */
export function harmless(text: string): string {
  return text.replace(TOKEN, '[token]').replace(HARMFUL, written)
}

function written(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code > 0xff_ff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}
