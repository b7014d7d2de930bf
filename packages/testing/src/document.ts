type Members = Readonly<Record<string, unknown>>

/**
 * Makes a copy of a document in which each `$ref` is replaced by what it leads to, and each `allOf` by one schema with the
 * properties of all. Throws if a `$ref` leads nowhere.
 */
// biome-ignore lint/suspicious/noExplicitAny: a document that is looked at member by member
export function resolved(document: Members): any {
  return resolve(document, document)
}

function resolve(part: unknown, document: Members): unknown {
  if (Array.isArray(part)) return part.map((member) => resolve(member, document))
  if (typeof part !== 'object' || part === null) return part
  const { $ref, allOf, ...members } = part as { $ref?: unknown; allOf?: unknown }
  if (typeof $ref === 'string') return resolve(find($ref, document), document)
  const made = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, resolve(member, document)]))
  return allOf === undefined ? made : { ...made, ...merged(resolve(allOf, document) as Members[]) }
}

function find(ref: string, document: Members): unknown {
  let found: unknown = document
  for (const name of ref.replace(/^#\//, '').split('/')) found = (found as Members | undefined)?.[name]
  if (found === undefined) throw new Error(`${ref} leads nowhere`)
  return found
}

function merged(schemas: readonly Members[]): Members {
  const properties = Object.assign({}, ...schemas.map(({ properties }) => properties))
  return { ...Object.assign({}, ...schemas), properties }
}
