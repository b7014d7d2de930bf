// Strings that a colon follows are names of members; other strings are matched too, so that nothing inside them is.
const TOKENS = /(?<name>"(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g

/**
 * Tells whether an object somewhere in a JSON text has two members of one name, however their letters are escaped.
 *
 * Parsers take one of the two without a word, and not all the same one (RFC 8259 §4). The text must be valid JSON.
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
