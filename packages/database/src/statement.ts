/**
 * The text of a statement behind its name, which stands in a comment in front: `session_find`. So the name is also seen where only the
 * text is: in the log of the server and in `pg_stat_activity`.
 */
export type Statement = `/* ${string} */${string}`

/** Most texts of one name that are prepared. A search that is put together has at most 64. */
const MOST_TEXTS = 100

// Room for the number of the text, in the 63 bytes of a name.
const NAMED = /^\/\* ([a-z_]{1,58}) \*\//

const names = new Map<string, string>()
const counts = new Map<string, number>()

/**
 * Returns the name under which a text is prepared; nothing if it has none. Of several texts with one name, the second is
 * `session_find_2` and so on: the same name with another text is an error of the driver.
 */
export function nameOf(text: string): string | undefined {
  return names.get(text) ?? newName(text)
}

function newName(text: string): string | undefined {
  const name = NAMED.exec(text)?.[1]
  if (name === undefined) return undefined
  const count = (counts.get(name) ?? 0) + 1
  if (count > MOST_TEXTS) return undefined
  counts.set(name, count)
  const unique = count === 1 ? name : `${name}_${count}`
  names.set(text, unique)
  return unique
}
