// A string before a colon is a name. Other strings are matched too, so that their content is skipped.
const TOKENS = /(?<name>"(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g

/**
 * Tells whether any object in a JSON text has two members of the same name, also if they are escaped differently.
 *
 * Parsers silently take one of the two, and not all take the same (RFC 8259 §4). The text must be valid JSON.
 */
export function hasDoubledMember(json: string): boolean {
  const open: Set<string>[] = []
  for (const { 0: token, groups } of json.matchAll(TOKENS)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (groups?.['name'] !== undefined) {
      const name: string = JSON.parse(groups['name'])
      if (open.at(-1)?.has(name)) return true
      open.at(-1)?.add(name)
    }
  }
  return false
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const OPENING = [0x5b, 0x7b]
const CLOSING = [0x5d, 0x7d]

/**
 * Tells whether objects and lists are nested deeper than `limit`, in one pass over any text.
 *
 * Call it before the text is parsed: parsing 64 KiB of brackets takes longer than all other work of a request.
 */
export function isNestedDeeper(json: string, limit: number): boolean {
  let depth = 0
  let inText = false
  for (let i = 0; i < json.length; i += 1) {
    const code = json.charCodeAt(i)
    if (code === QUOTE) inText = !inText
    else if (inText) i += code === BACKSLASH ? 1 : 0
    else if (OPENING.includes(code)) depth += 1
    else if (CLOSING.includes(code)) depth -= 1
    if (depth > limit) return true
  }
  return false
}
